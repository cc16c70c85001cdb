package distro

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/tcapflow/tcapflow/build"
	"github.com/tcapflow/tcapflow/internal/pipeline/fault"
)

func TestReport(t *testing.T) {
	const golden = "testdata/report.golden"
	cells, err := selected(matrix("amd64", build.Distros, build.Targets), "debian12|rhel9/amd64")
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	r := newReport(&out, cells, time.Now())
	r.place(cells[4:], skipped{"no image"}, time.Now())
	for i := range cells[:4] { // the last first: the report is in the table's order all the same
		switch c := cells[3-i]; i {
		case 0:
			r.result(c, skipped{"not under qemu"}, time.Now())
		case 1:
			r.result(c, errors.New("want a line\nstderr: another"), time.Now())
		case 2:
			r.result(c, skipped{"not here"}, time.Now())
		default:
			r.result(c, nil, time.Now())
		}
	}
	r.finish()
	for i, c := range r.Cells {
		if c.Name != cells[i].name() {
			t.Errorf("cell %d is %s, want %s", i, c.Name, cells[i].name())
		}
	}
	if err := r.verdict(); err == nil || !strings.Contains(err.Error(), "debian12/amd64/deb/no-capability") {
		t.Errorf("verdict %v, want one that names the failed test", err)
	}
	got := regexp.MustCompile(`\d+\.\ds`).ReplaceAllString(out.String(), "0.0s")
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("got:\n%swant:\n%s", got, want)
	}
}

// Tests that fail because something could not be fetched are no verdict on the program.
func TestVerdictCode(t *testing.T) {
	fetch := fault.New(fault.Fetch, "", "no mirror")
	for _, test := range []struct {
		errs []error
		want fault.Code
	}{
		{[]error{nil, fetch, fmt.Errorf("root: %w", fetch)}, fault.Fetch},
		{[]error{errors.New("wrong version"), fetch}, fault.Failed},
	} {
		cells := matrix("amd64", build.Distros[:1], build.Targets[:1])[:len(test.errs)]
		r := newReport(&strings.Builder{}, cells, time.Now())
		for i, c := range cells {
			r.result(c, test.errs[i], time.Now())
		}
		r.finish()
		var got *fault.Error
		if !errors.As(r.verdict(), &got) || got.Code != test.want {
			t.Errorf("%v: code %v, want %v", test.errs, got, test.want)
		}
	}
}

func TestNothingRan(t *testing.T) {
	cells := matrix("amd64", build.Distros[:1], build.Targets[:1])
	r := newReport(&strings.Builder{}, cells, time.Now())
	for _, c := range cells {
		r.result(c, skipped{"no reason"}, time.Now())
	}
	r.finish()
	if err := r.verdict(); err == nil {
		t.Error("no error although nothing was run")
	}
}

func TestStarted(t *testing.T) {
	for _, test := range []struct {
		o    outcome
		want string // in the error; empty: none
	}{
		{outcome{0, "x 1.0\n", ""}, ""},
		{outcome{1, "", "x: no such file or directory\n"}, ""}, // of the program itself
		{outcome{126, "OCI runtime exec failed: exec failed: container_linux.go:380: starting container process caused: exec: \"/usr/bin/x\": stat /usr/bin/x: no such file or directory: unknown\n", ""}, "interpreter"},
		{outcome{1, "", "exec /usr/bin/x: no such file or directory\n"}, "interpreter"},
		{outcome{126, "OCI runtime exec failed: exec failed: exec: \"/usr/bin/x\": permission denied: unknown\n", ""}, "permission denied"},
		{outcome{255, "", "qemu-aarch64: Could not open '/lib/ld-linux-aarch64.so.1': No such file or directory\n"}, "interpreter"},
		{outcome{1, "", "x: /lib/libc.so.6: version `GLIBC_2.38' not found (required by x)\n"}, "not static"},
		{outcome{127, "", "x: error while loading shared libraries: libpcap.so.1: cannot open shared object file\n"}, "not static"},
	} {
		err := test.o.started([]string{"qemu-aarch64", "/usr/bin/x"})
		if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%+v: %v, want %q", test.o, err, test.want)
		}
	}
}
