package build

import (
	"cmp"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func TestProject(t *testing.T) {
	p := Project
	if p.Name == "" || p.Summary == "" || p.Stamp.Version == "" {
		t.Errorf("%+v", p)
	}
	if sources, err := filepath.Glob(filepath.Join("..", p.Main, "*.go")); err != nil || len(sources) == 0 || !strings.HasPrefix(p.Main, "./") {
		t.Errorf("main package %s: %v", p.Main, cmp.Or(err, os.ErrNotExist))
	}
	for _, l := range p.Libraries {
		if !regexp.MustCompile("^[0-9a-f]{64}$").MatchString(l.SHA256) || l.Licence == "" || l.Version == "" || len(l.URLs) == 0 {
			t.Errorf("%s: version, licence, URLs or SHA-256 are missing", l.Name)
		}
		for _, url := range l.URLs {
			if !strings.Contains(url, l.Version) || !(strings.HasPrefix(url, "https://") || strings.HasPrefix(url, "{debian}/")) {
				t.Errorf("%s: %s is not version %s, or not over TLS", l.Name, url, l.Version)
			}
		}
		if !strings.Contains(l.Build, "$DESTDIR/usr") {
			t.Errorf("%s: its build installs nothing", l.Name)
		}
	}
}
