package elfcheck

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// examine looks for paths in a file that has text at its end.
func examine(t *testing.T, text string, w Want) Report {
	t.Helper()
	b := append(tiny64.bytes(), text...)
	r, err := ExamineReader(bytes.NewReader(b), int64(len(b)), w)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestHostPathEvidence(t *testing.T) {
	for _, c := range []struct {
		path, text string
		leaked     bool
	}{
		{"/home/maria", "\x00/home/maria/src/main.c\x00", true},
		{"/home/maria", "go:buildid/home/maria\x00", true}, // Go stores strings without a zero between them
		{"/home/maria", `prefix="/home/maria"`, true},
		{"/home/maria/", "/home/maria.", true},
		{"/home/maria", "/home/maria2/src/main.c", false},
		{"/home/maria", "/home/mariä/src", false},
		{`C:\Users\maria`, `C:\Users\maria\x`, true},
		{`C:\Users\maria`, `"C:/Users/maria/x"`, true},
		{"/root", "\x00/root/x/main.go\x00", true},
		{"/root", "at /root/go/pkg/mod/example.com/x@v1.2.3/x.go:12", true},
		{"/root", "(/root/.cargo/registry/src/index/serde/lib)", true},
		{"/root", "root:x:0:0:root:/root:/bin/bash\n", false},
		{"/root", "cp /root/.ssh/authorized_keys", false},
		{"/root", "https://example.com/root/main.go", false},
		{"/root", "file:///root/index", false},
		{"/root", "/home/root/main.c", false},
		{"/root", "../root/main.c", false},
		{"/root", "/rootfs/main.c", false},
		{"/root", "the folder /root/.", false},
		{"/src", "\x00/src/decode.c\x00", true},
		{"/src", "\x00/src/index.html\x00", false},
		{"/", "//a/main.c", false},
	} {
		r := examine(t, c.text, Want{Forbidden: []string{c.path}})
		if leaked := len(r.Findings) > 0; leaked != c.leaked {
			t.Errorf("%s in %q: %v, want %v: %v", c.path, c.text, leaked, c.leaked, r.Findings)
		}
	}
}

// In Go's table of files each path of one name is a leak: nothing else stands there.
func TestHostPathInGoTable(t *testing.T) {
	b := good(t)
	const name = "runtime/proc.go"
	at := bytes.Index(b, []byte("\x00"+name+"\x00"))
	if at < 0 {
		t.Fatalf("%s is not in Go's table of files", name)
	}
	copy(b[at+1:], "/root/notes.txt")
	b = append(b, "\x00/root/x.c\x00"...) // and text, which is another fault
	_, findings, err := File(write(t, b), Want{Forbidden: []string{"/root"}})
	if err != nil || rules(findings) != "host-path host-path" {
		t.Fatal(findings, err)
	}
	for _, says := range []string{
		"a compiler's table", "section .gopclntab", `"/root/notes.txt"`, "-trimpath", fmt.Sprint(at + 1),
	} {
		if !strings.Contains(findings[0].Detail, says) {
			t.Errorf("%q does not say %q", findings[0].Detail, says)
		}
	}
}

// Text that somebody put there is another fault than a compiler's path, and has another next step.
func TestHostPathInData(t *testing.T) {
	text := "\x00assert /home/maria/lib/x.c:12\x00 /home/maria/y \x00"
	r := examine(t, text, Want{Forbidden: []string{"/home/maria"}})
	if rules(r.Findings) != "host-path" {
		t.Fatal(r.Findings)
	}
	detail := r.Findings[0].Detail
	for _, says := range []string{
		"2 places", "go:embed", "Allowed in build/project.go", `"assert /home/maria/lib/x.c:12"`,
	} {
		if !strings.Contains(detail, says) {
			t.Errorf("%q does not say %q", detail, says)
		}
	}
	if strings.Contains(detail, "-trimpath") {
		t.Errorf("%q speaks of -trimpath, which cannot help", detail)
	}
}

// A path in the checkout is one fault, though the home holds the checkout.
func TestHostPathWithinAnother(t *testing.T) {
	w := Want{Forbidden: []string{"/home/maria", "/home/maria/client", "/root", "/root/x"}}
	for text, want := range map[string][]string{
		"/home/maria/client/main.c /root/x/main.c": {"/home/maria/client", "/root/x"},
		"/home/maria/client2/main.c":               {"/home/maria"},
	} {
		var got []string
		for _, f := range examine(t, text, w).Findings {
			path, _, _ := strings.Cut(strings.TrimPrefix(f.Detail, `"`), `"`)
			got = append(got, path)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}

func TestAllowed(t *testing.T) {
	const text = "\x00/home/maria/lib/x.c\x00 /home/maria/lib/x.c\x00"
	w := Want{Forbidden: []string{"/home/maria"}, Allowed: []Allowed{
		{"/home/maria/lib", "libx.a is built there"}, {"/home/maria/other", "never used"},
	}}
	r := examine(t, text, w)
	if len(r.Findings) > 0 || len(r.Allowed) != 1 || r.Allowed[0].Places != 2 {
		t.Errorf("findings %v, allowed %v", r.Findings, r.Allowed)
	}
	want := `"/home/maria/lib" is allowed (2 places): libx.a is built there`
	if got := r.Allowed[0].String(); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	// An exception covers its own text only.
	r = examine(t, text+"/home/maria/secret\x00", w)
	if rules(r.Findings) != "host-path" || !strings.Contains(r.Findings[0].Detail, "/home/maria/secret") {
		t.Errorf("findings %v", r.Findings)
	}
	// One text within another's: the path stands in the middle.
	w.Allowed = []Allowed{{"see /home/maria/lib for", "a help text"}}
	if r := examine(t, "see /home/maria/lib for x", w); len(r.Findings) > 0 {
		t.Error(r.Findings)
	}
	if r := examine(t, "see /home/maria/lib", w); len(r.Findings) == 0 {
		t.Error("half of an allowed text passed")
	}
	for _, a := range []Allowed{{"", "reason"}, {"text", ""}} {
		b := tiny64.bytes()
		if _, err := ExamineReader(bytes.NewReader(b), int64(len(b)), Want{Allowed: []Allowed{a}}); err == nil {
			t.Errorf("%+v passed", a)
		}
	}
}

// A packed section is searched whole, or else the file is refused.
func TestSearchPacked(t *testing.T) {
	search := func(b []byte, path string, budget int64) (*leaks, error) {
		img, _, err := inspect(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			t.Fatal(err)
		}
		l, err := newLeaks(img, Want{Forbidden: []string{path}})
		if err != nil {
			t.Fatal(err)
		}
		return l, l.searchPacked(budget)
	}
	b := withSections(tiny64.bytes())
	l, err := search(b, "x/home", 8)
	if findings, _ := l.report(); err != nil || rules(findings) != "" {
		t.Error(findings, err)
	}
	l, err = search(b, "home/", 8)
	if findings, _ := l.report(); err != nil || rules(findings) != "host-path" {
		t.Error(findings, err)
	}
	if _, err := search(b, "home", 5); err == nil {
		t.Error("a section that unpacks to more than the budget passed")
	}
	damaged := bytes.Replace(b, []byte("/home/\x07"), []byte("/home/\x08"), 1)
	if _, err := search(damaged, "absent", 8); err == nil {
		t.Error("a section that cannot be unpacked passed")
	}
}
