package source

import (
	"os/exec"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/semver"
)

// history is a program's life, in order: what git says, and the version that follows.
// docs/architecture.md has this table.
var history = []struct{ describe, commit, date, version string }{
	{"", "tarball", "1970-01-01T00:00:00Z", "0.0.0-19700101000000-tarball"},
	{"", "ffffffffffff", "2026-11-24T09:30:00Z", "0.0.0-20261124093000-ffffffffffff"},
	{"", "000000000000", "2026-11-25T09:30:00Z", "0.0.0-20261125093000-000000000000"},
	{"v0.9.9-9-g000000a", "00000aaaaaaa", "2026-11-26T09:30:00Z", "0.9.10-0.20261126093000-00000aaaaaaa"},
	{"v1.0.0-rc.1-0-g000000b", "00000bbbbbbb", "2026-11-27T09:30:00Z", "1.0.0-rc.1"},
	{"v1.0.0-rc.1-9-g000000c", "00000ccccccc", "2026-11-27T09:30:01Z", "1.0.0-rc.1.0.20261127093001-00000ccccccc"},
	{"v1.0.0-rc.1-10-g000000d", "0000000ddddd", "2026-11-27T09:30:02Z", "1.0.0-rc.1.0.20261127093002-0000000ddddd"},
	{"v1.0.0-rc.2-0-g000000e", "00000eeeeeee", "2026-11-28T09:30:00Z", "1.0.0-rc.2"},
	{"v1.0.0-rc.10-0-g000000f", "00000fffffff", "2026-11-28T09:31:00Z", "1.0.0-rc.10"},
	{"v1.0.0-0-g0000010", "000001000000", "2026-11-29T09:30:00Z", "1.0.0"},
	{"v1.0.0-2-g0000020", "000002000000", "2026-11-30T09:30:00Z", "1.0.1-0.20261130093000-000002000000"},
	{"v1.0.0-10-g0000011", "000001100000", "2026-12-01T09:30:00Z", "1.0.1-0.20261201093000-000001100000"},
	{"v1.0.1-rc.1-0-g0000012", "000001200000", "2026-12-02T09:30:00Z", "1.0.1-rc.1"},
	{"v1.0.1-0-g0000013", "000001300000", "2026-12-03T09:30:00Z", "1.0.1"},
	{"v1.0.9-1-g0000014", "000001400000", "2026-12-04T09:30:00Z", "1.0.10-0.20261204093000-000001400000"},
	{"v1.1.0-0-g0000015", "000001500000", "2026-12-05T09:30:00Z", "1.1.0"},
}

func TestName(t *testing.T) {
	for _, h := range history {
		if got, _ := nameAt(t, h.describe, h.commit, h.date, false); got != h.version {
			t.Errorf("%q at %s: %s, want %s", h.describe, h.date, got, h.version)
		}
	}
	for describe, want := range map[string]string{
		"v1.0.0-0-g0000010":     "1.0.0+dirty",
		"v1.0.0+fips-0-g000001": "1.0.0+fips.dirty",
		"v1.0.0-3-g0000010":     "1.0.1-0.20261125093000-000001000000+dirty",
		"":                      "0.0.0-20261125093000-000001000000+dirty",
		"v1.x.0-3-g0000010":     "0.0.0-20261125093000-000001000000+dirty",
	} {
		version, state := nameAt(t, describe, "000001000000abcdef", "2026-11-25T09:30:00Z", true)
		if version != want || state != "uncommitted changes" {
			t.Errorf("%q with changes: %s (%s), want %s", describe, version, state, want)
		}
	}
}

func nameAt(t *testing.T, describe, commit, date string, dirty bool) (version, state string) {
	t.Helper()
	at, err := time.Parse(time.RFC3339, date)
	if err != nil {
		t.Fatal(err)
	}
	return name(describe, commit, at, dirty)
}

// What is later is newer, to semver as to dpkg: no upgrade is a downgrade.
func TestVersionsSort(t *testing.T) {
	dpkg, _ := exec.LookPath("dpkg")
	if dpkg == "" {
		t.Log("dpkg is not installed: only semver is asked")
	}
	for i := range history[1:] {
		older, newer := history[i].version, history[i+1].version
		if semver.Compare("v"+older, "v"+newer) >= 0 {
			t.Errorf("semver: %s is not before %s", older, newer)
		}
		for _, v := range []string{newer, newer + "+dirty"} {
			if dpkg == "" {
				break
			}
			cmd := exec.Command(dpkg, "--compare-versions", deb(older), "lt", deb(v))
			if text, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("dpkg: %s is not before %s: %v %s", deb(older), deb(v), err, text)
			}
		}
	}
}

// deb is a version as nfpm writes it into a package: "~" sorts before everything,
// deb-version(7). The release's TestPack compares it with a real package.
func deb(version string) string { return strings.Replace(version, "-", "~", 1) }
