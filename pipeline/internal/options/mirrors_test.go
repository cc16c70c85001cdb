package options

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tcapflow/tcapflow/build"
	bd "github.com/tcapflow/tcapflow/build/debian"
)

const firm = "https://mirror.firm.example/debian"

func TestMirrors(t *testing.T) {
	for name, c := range map[string]struct {
		files map[string]string // below /etc/apt
		want  string            // that stands before Debian's own
	}{
		"none":               {nil, ""},
		"one line":           {map[string]string{"sources.list": "deb " + firm + "/ trixie main contrib\n"}, firm},
		"one line, options":  {map[string]string{"sources.list": "deb [arch=amd64 signed-by=/usr/share/keyrings/x.gpg] " + firm + " stable main\n"}, firm},
		"one line, [ x ]":    {map[string]string{"sources.list": "deb [ arch=amd64 ] " + firm + " sid contrib main # here\n"}, firm},
		"no newline":         {map[string]string{"sources.list": "deb " + firm + " trixie main"}, firm},
		"deb822":             {map[string]string{"sources.list.d/debian.sources": "Types: deb\nURIs: " + firm + "\nSuites: trixie trixie-updates\nComponents: main\nSigned-By: /x\n"}, firm},
		"deb822, last field": {map[string]string{"sources.list.d/debian.sources": "Components: main\nSuites: trixie\nURIs: " + firm + "\nTypes: deb"}, firm},
		"deb822, lower case": {map[string]string{"sources.list.d/debian.sources": "types: deb\nuris: " + firm + "\nsuites: trixie\ncomponents: main\n"}, firm},
		"deb822, two":        {map[string]string{"sources.list.d/debian.sources": "Types: deb\nURIs: http://x.example/debian-security " + firm + "\nSuites: bookworm\nComponents: main\n"}, firm},
		"deb822, comments":   {map[string]string{"sources.list.d/debian.sources": "# was: http://x.example/debian\nTypes: deb\n# URIs: http://x.example/debian\nURIs: " + firm + "\nSuites: trixie\nComponents: main\n"}, firm},
		"deb822, second stanza": {map[string]string{"sources.list.d/a.sources": "Types: deb\nURIs: https://vendor.example/debian\nSuites: stable\nComponents: vendor\n\n" +
			"Types: deb\nURIs: " + firm + "\nSuites: trixie\nComponents: main\n"}, firm},
		"main file first": {map[string]string{"sources.list": "deb " + firm + " trixie main\n", "sources.list.d/a.list": "deb http://x.example/debian trixie main\n"}, firm},

		"comment":           {map[string]string{"sources.list": "# deb " + firm + " trixie main\n#deb " + firm + " trixie main\n"}, ""},
		"sources alone":     {map[string]string{"sources.list": "deb-src " + firm + " trixie main\n"}, ""},
		"deb822 sources":    {map[string]string{"sources.list.d/a.sources": "Types: deb-src\nURIs: " + firm + "\nSuites: trixie\nComponents: main\n"}, ""},
		"switched off":      {map[string]string{"sources.list.d/a.sources": "Enabled: no\nTypes: deb\nURIs: " + firm + "\nSuites: trixie\nComponents: main\n"}, ""},
		"apt reads it not":  {map[string]string{"sources.list.d/a.list.save": "deb " + firm + " trixie main\n"}, ""},
		"vendor, no main":   {map[string]string{"sources.list": "deb https://vendor.example/linux/debian bookworm stable\n"}, ""},
		"vendor, own suite": {map[string]string{"sources.list": "deb https://vendor.example/debian nodistro main\ndeb https://vendor.example/debian/ any-version main\n"}, ""},
		"vendor, deb822":    {map[string]string{"sources.list.d/v.sources": "Types: deb\nURIs: https://vendor.example/debian\nSuites: vendor-stable\nComponents: main\n"}, ""},
		"other path":        {map[string]string{"sources.list": "deb https://vendor.example/apt bookworm main\ndeb http://x.example/debian-security trixie main\n"}, ""},
		"stanza is over": {map[string]string{"sources.list.d/a.sources": "Types: deb\nURIs: " + firm + "\nSuites: vendor\nComponents: main\n\n" +
			"Suites: trixie\n"}, ""},
		"cdrom":     {map[string]string{"sources.list": "deb cdrom:[Debian GNU/Linux]/ trixie main\ndeb\ndeb [\n"}, ""},
		"a file":    {map[string]string{"sources.list": "deb file:///srv/debian trixie main\n"}, ""},
		"ubuntu":    {map[string]string{"sources.list": "deb http://archive.example/ubuntu noble main\n"}, ""},
		"no values": {map[string]string{"sources.list.d/a.sources": "Types:\nURIs:\nSuites:\nComponents:\n"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			apt := t.TempDir()
			for file, text := range c.files {
				file = filepath.Join(apt, file)
				if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, []byte(text), 0o644)); err != nil {
					t.Fatal(err)
				}
			}
			want := bd.Base.Mirrors
			if c.want != "" {
				want = append([]string{c.want}, want...)
			}
			if got := mirrors("", apt, bd.Base.Mirrors); !slices.Equal(got, want) {
				t.Errorf("got %s, want %s", got, want)
			}
			if got := mirrors("http://mine.example/d/", apt, bd.Base.Mirrors); !slices.Equal(got, []string{"http://mine.example/d"}) {
				t.Errorf("DEBIAN_MIRROR does not win: %s", got)
			}
		})
	}
}

// DEBIAN_MIRROR is a list, and no other mirror is asked then.
func TestMirrorsOfUser(t *testing.T) {
	for user, want := range map[string]string{
		"http://a.example/debian":                               "http://a.example/debian",
		"http://a.example/debian/ https://b.example/debian":     "http://a.example/debian https://b.example/debian",
		"http://a.example/debian,https://b.example/debian/":     "http://a.example/debian https://b.example/debian",
		" http://a.example/debian ,\n http://b.example/debian ": "http://a.example/debian http://b.example/debian",
		"http://a.example/d http://a.example/d/":                "http://a.example/d",
		" , ":                                                   strings.Join(bd.Base.Mirrors, " "),
	} {
		if got := strings.Join(mirrors(user, t.TempDir(), bd.Base.Mirrors), " "); got != want {
			t.Errorf("%q: got %s, want %s", user, got, want)
		}
	}
}

// A host whose apt uses one of Debian's own mirrors asks it first, and once.
func TestMirrorsOnce(t *testing.T) {
	apt := t.TempDir()
	line := "deb " + bd.Base.Mirrors[1] + " trixie main\n"
	if err := os.WriteFile(filepath.Join(apt, "sources.list"), []byte(line), 0o644); err != nil {
		t.Fatal(err)
	}
	want := []string{bd.Base.Mirrors[1], bd.Base.Mirrors[0]}
	want = append(want, bd.Base.Mirrors[2:]...)
	if got := mirrors("", apt, bd.Base.Mirrors); !slices.Equal(got, want) {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestSnapshot(t *testing.T) {
	for user, want := range map[string]string{"": bd.Base.Snapshot, "off": "", "https://snap.example/": "https://snap.example"} {
		environment(t, map[string]string{"DEBIAN_SNAPSHOT": user})
		if o, err := Read(build.Project, Args{}); err != nil || o.Snapshot != want {
			t.Errorf("%q: %q, %v", user, o.Snapshot, err)
		}
	}
}

// Security updates come from beside the user's mirrors alone, or from beside that of the
// host's apt and Debian's own.
func TestSecurityMirrors(t *testing.T) {
	official := []string{"http://security.debian.org/debian-security"}
	for name, test := range map[string]struct {
		mirrors []string
		user    bool
		want    []string
	}{
		"a firm's":      {[]string{"https://m.example/debian", "http://n.example/pub/debian"}, true, []string{"https://m.example/debian-security", "http://n.example/pub/debian-security"}},
		"without path":  {[]string{"https://m.example"}, true, nil},
		"of apt":        {[]string{"http://apt.example/debian", "http://ftp.debian.org/debian"}, false, []string{"http://apt.example/debian-security", official[0]}},
		"the same":      {[]string{"http://security.debian.org/debian"}, false, official},
		"none is known": {nil, false, official},
	} {
		if got := securityMirrors(test.mirrors, test.user, official); !slices.Equal(got, test.want) {
			t.Errorf("%s: got %q, want %q", name, got, test.want)
		}
	}
}
