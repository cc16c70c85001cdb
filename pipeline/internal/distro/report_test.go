package distro

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tcapflow/tcapflow/build/defaults"
	"github.com/tcapflow/tcapflow/spec"

	"github.com/tcapflow/tcapflow/pipeline/internal/fault"
)

func TestReport(t *testing.T) {
	const golden = "testdata/report.golden"
	all := on([]string{"amd64"}, matrix(fixture, defaults.Targets.Built))
	var cells []cell
	for _, pattern := range []string{"debian12/amd64", "debian12/386//version", "rhel9/amd64"} {
		some, err := selected(all, pattern)
		if err != nil {
			t.Fatal(err)
		}
		cells = append(cells, some...)
	}
	reasons := map[string]error{
		"debian12/amd64/deb/talk":  errors.New("want a line\nstderr: another"),
		"debian12/amd64/deb/relro": skipped{"not here"},
	}
	var out strings.Builder
	r := newReport(&out, cells, time.Now())
	places := byPlace(cells)
	r.place(places[2], skipped{"no image"}, time.Now())
	// The last first: the report is in the table's order all the same.
	for _, c := range slices.Backward(slices.Concat(places[:2]...)) {
		r.result(c, reasons[c.name()], time.Now())
	}
	r.finish()
	for i, c := range r.Cells {
		if c.Name != cells[i].name() {
			t.Errorf("cell %d is %s, want %s", i, c.Name, cells[i].name())
		}
	}
	if err := r.verdict(); err == nil || !strings.Contains(err.Error(), "debian12/amd64/deb/talk") {
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
		cells := matrix(with(defaults.Distros[0]), defaults.Targets.Built[:1])[:len(test.errs)]
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
	cells := matrix(with(defaults.Distros[0]), defaults.Targets.Built[:1])
	r := newReport(&strings.Builder{}, cells, time.Now())
	for _, c := range cells {
		r.result(c, skipped{"no reason"}, time.Now())
	}
	r.finish()
	if err := r.verdict(); err == nil {
		t.Error("no error although nothing was run")
	}
}

// One Debian release may be out of reach; without any the run has failed.
func TestNoDebian(t *testing.T) {
	noMirror := skipped{"no mirror"}
	for _, test := range []struct {
		name    string
		only    string
		lacking string // the distributions that cannot be had begin so
		fails   bool
	}{
		{"all are there", "scratch|debian/amd64", "none", false},
		{"one is not there", "scratch|debian/amd64", "debian12", false},
		{"none is there", "scratch|debian/amd64", "debian", true},
		{"none is there, and nothing else is asked for", "debian12/amd64", "debian", true},
		{"none is asked for", "scratch/amd64", "debian", false},
		{"another is not there", "debian|rhel/amd64", "rhel", false},
	} {
		cells, err := selected(matrix(fixture, defaults.Targets.Built), test.only)
		if err != nil {
			t.Fatal(err)
		}
		r := newReport(&strings.Builder{}, cells, time.Now())
		for _, place := range byPlace(cells) {
			if strings.HasPrefix(place[0].distro.Name, test.lacking) {
				r.place(place, noMirror, time.Now())
				continue
			}
			for _, c := range place {
				r.result(c, nil, time.Now())
			}
		}
		r.finish()
		err = r.verdict()
		if (err != nil) != test.fails || test.fails && codeOf(err) != fault.Fetch {
			t.Errorf("%s: %v", test.name, err)
		}
	}
}

func TestStarted(t *testing.T) {
	for _, test := range []struct {
		o    spec.Outcome
		want string // in the error; empty: none
	}{
		{spec.Outcome{Code: 0, Stdout: "x 1.0\n", Stderr: ""}, ""},
		{spec.Outcome{Code: 1, Stdout: "", Stderr: "x: no such file or directory\n"}, ""}, // of the program itself
		{spec.Outcome{Code: 126, Stdout: "OCI runtime exec failed: exec failed: container_linux.go:380: starting container process caused: exec: \"/usr/bin/x\": stat /usr/bin/x: no such file or directory: unknown\n", Stderr: ""}, "interpreter"},
		{spec.Outcome{Code: 1, Stdout: "", Stderr: "exec /usr/bin/x: no such file or directory\n"}, "interpreter"},
		{spec.Outcome{Code: 126, Stdout: "OCI runtime exec failed: exec failed: exec: \"/usr/bin/x\": permission denied: unknown\n", Stderr: ""}, "permission denied"},
		{spec.Outcome{Code: 255, Stdout: "", Stderr: "qemu-aarch64: Could not open '/lib/ld-linux-aarch64.so.1': No such file or directory\n"}, "interpreter"},
		{spec.Outcome{Code: 1, Stdout: "", Stderr: "x: /lib/libc.so.6: version `GLIBC_2.38' not found (required by x)\n"}, "not static"},
		{spec.Outcome{Code: 127, Stdout: "", Stderr: "x: error while loading shared libraries: libpcap.so.1: cannot open shared object file\n"}, "not static"},
	} {
		err := started(test.o, []string{"qemu-aarch64", "/usr/bin/x"})
		if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%+v: %v, want %q", test.o, err, test.want)
		}
	}
}
