package spec

import (
	"slices"
	"testing"
)

// Libraries come after what they need, each once, and the project's own entry of a library
// is taken.
func TestLinked(t *testing.T) {
	zlib := Library{Name: "zlib", Version: "1"}
	tls := Library{Name: "tls", Needs: []Library{zlib}, Tools: []string{"perl"}}
	kafka := Library{Name: "kafka", Needs: []Library{tls, zlib}, Tools: []string{"cmake", "perl"}}
	p := Project{Libraries: []Library{kafka, {Name: "zlib", Version: "2"}}}
	var got []string
	for _, l := range p.Linked() {
		got = append(got, l.Name+l.Version)
	}
	if want := []string{"zlib2", "tls", "kafka"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got, want := p.Extras(), []string{"cmake", "perl"}; !slices.Equal(got, want) {
		t.Errorf("extras %v, want %v", got, want)
	}
}

// A library's key is of what may be compiled into it, and of nothing else.
func TestEarlier(t *testing.T) {
	none := []Library{}
	zlib := Library{Name: "zlib", Needs: none}
	tls := Library{Name: "tls", Needs: []Library{zlib}}
	p := Project{Libraries: []Library{{Name: "cxx", Needs: none}, {Name: "kafka", Needs: []Library{tls}}, {Name: "own"}}}
	for name, want := range map[string][]string{
		"cxx": nil, "zlib": nil, "tls": {"zlib"}, "kafka": {"zlib", "tls"}, "own": {"cxx", "zlib", "tls", "kafka"},
	} {
		for _, l := range p.Linked() {
			if l.Name != name {
				continue
			}
			var got []string
			for _, e := range p.Earlier(l) {
				got = append(got, e.Name)
			}
			if !slices.Equal(got, want) {
				t.Errorf("%s: %v, want %v", name, got, want)
			}
		}
	}
}
