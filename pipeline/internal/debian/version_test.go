package debian

import (
	"cmp"
	"os/exec"
	"testing"
)

// versions are in order, each older than the next; with "=" before it, as old.
var versions = []string{
	"0~~", "0~", "=0~0", "0", "=", "=0:0", "=0-0", "0-1", "0.1", "1~rc1-1", "1-0.1", "1-1~deb13u1", "1-1", "1-1+b1",
	"1-1+deb13u1", "1-1+deb13u2", "1-1+deb13u10", "1-2", "1a", "1a+", "1+dfsg-1", "1.2.5-3", "1.2.5-3+deb13u1", "1.2.10",
	"=1.2.0010", "1.10", "20260101", "99999999999999999999999", "100000000000000000000000", "1:0~", "1:0", "10:0", "=010:0",
}

func TestCompareVersions(t *testing.T) {
	dpkg, err := exec.LookPath("dpkg")
	if err != nil {
		t.Log("without dpkg as an oracle:", err)
	}
	var list []string
	var rank []int
	for i, v := range versions {
		same := v != "" && v[0] == '='
		if same {
			v = v[1:]
		}
		list = append(list, v)
		if rank = append(rank, i); same {
			rank[i] = rank[i-1]
		}
	}
	for i, a := range list {
		for j, b := range list {
			want := cmp.Compare(rank[i], rank[j])
			if got := CompareVersions(a, b); cmp.Compare(got, 0) != want {
				t.Errorf("%q to %q: %d, want %d", a, b, got, want)
			}
			if dpkg != "" && (j == i+1 || j == i) && a != "" && b != "" {
				how := map[int]string{-1: "lt", 0: "eq", 1: "gt"}[want]
				if err := exec.Command(dpkg, "--compare-versions", a, how, b).Run(); err != nil {
					t.Errorf("dpkg says that %q is not %s %q (%v)", a, how, b, err)
				}
			}
		}
	}
}
