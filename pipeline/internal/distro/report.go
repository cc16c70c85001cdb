package distro

import (
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
	"sync"
	"time"

	"github.com/tcapflow/tcapflow/pipeline/internal/fault"
)

// Status is how a cell ended.
type Status string

const (
	Pass Status = "PASS"
	Fail Status = "FAIL"
	Skip Status = "SKIP"
)

// Mode is who runs a cell's program.
type Mode string

const (
	Native   Mode = "native"   // the engine's kernel
	Emulated Mode = "emulated" // qemu-user
)

// Result is a cell that is over.
type Result struct {
	Name    string  `json:"name"` // debian12/amd64/deb/read
	Status  Status  `json:"status"`
	Run     Mode    `json:"run,omitempty"`    // empty: it was not run
	Reason  string  `json:"reason,omitempty"` // of a failure or a skip
	Seconds float64 `json:"seconds"`
}

// Report is a run: the cells in the table's order.
type Report struct {
	Cells   []Result `json:"cells"`
	Passed  int      `json:"passed"`
	Failed  int      `json:"failed"`
	Skipped int      `json:"skipped"`

	Native   int `json:"native"`   // of those that passed or failed, run by the engine's kernel
	Emulated int `json:"emulated"` // and by qemu-user

	Seconds float64 `json:"seconds"`
}

// skipped is an error that says why a cell cannot be run here.
type skipped struct{ reason string }

func (s skipped) Error() string { return s.reason }

// reporter collects results and prints each as it comes.
type reporter struct {
	Report
	mu    sync.Mutex
	out   io.Writer
	codes map[fault.Code]bool // of failures
	cells []cell
	width int
	done  map[string]Result
	start time.Time

	// noPlace are the cells whose place could not be had today.
	noPlace map[string]bool
}

func newReport(out io.Writer, cells []cell, start time.Time) *reporter {
	r := &reporter{out: out, cells: cells, start: start,
		done: map[string]Result{}, noPlace: map[string]bool{}, codes: map[fault.Code]bool{}}
	for _, c := range cells {
		r.width = max(r.width, len(c.name()))
	}
	return r
}

// result adds a cell that ended with err.
func (r *reporter) result(c cell, err error, start time.Time) {
	var skip skipped
	mode := Native
	switch {
	case errors.As(err, &skip):
		mode = ""
	case c.foreign:
		mode = Emulated
	}
	r.add(c.name(), []cell{c}, mode, err, time.Since(start))
}

// place adds the cells of a container that could not be had: one line for all.
func (r *reporter) place(cells []cell, err error, start time.Time) {
	r.mu.Lock()
	for _, c := range cells {
		r.noPlace[c.name()] = true
	}
	r.mu.Unlock()
	err = fmt.Errorf("(%d tests) %w", len(cells), err)
	r.add(path.Dir(cells[0].name()), cells, "", err, time.Since(start))
}

func (r *reporter) add(name string, cells []cell, mode Mode, err error, took time.Duration) {
	status, reason := Pass, ""
	var skip skipped
	switch {
	case errors.As(err, &skip):
		status, reason = Skip, err.Error()
	case err != nil:
		status, reason = Fail, err.Error()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if status == Fail {
		r.codes[codeOf(err)] = true
	}
	for _, c := range cells {
		r.done[c.name()] = Result{c.name(), status, mode, reason, took.Seconds()}
	}
	reason = strings.ReplaceAll(reason, "\n", "\n      ")
	line := fmt.Sprintf("%s  %-*s  %-8s %6.1fs  %s", status, r.width, name, mode, took.Seconds(), reason)
	fmt.Fprintln(r.out, strings.TrimRight(line, " "))
}

// finish puts the results into the table's order, counts them and prints the count.
func (r *reporter) finish() {
	for _, c := range r.cells {
		result := r.done[c.name()]
		r.Cells = append(r.Cells, result)
		switch result.Status {
		case Pass:
			r.Passed++
		case Fail:
			r.Failed++
		case Skip:
			r.Skipped++
		}
		switch result.Run {
		case Native:
			r.Native++
		case Emulated:
			r.Emulated++
		}
	}
	r.Seconds = time.Since(r.start).Seconds()
	fmt.Fprintf(r.out, "%d passed, %d failed, %d skipped in %.1fs; %d ran natively, %d emulated\n",
		r.Passed, r.Failed, r.Skipped, r.Seconds, r.Native, r.Emulated)
}

// codeOf is the exit code that an error asks for.
func codeOf(err error) fault.Code {
	var known *fault.Error
	if errors.As(err, &known) {
		return known.Code
	}
	return fault.Failed
}

// verdict is the error of the run. When all that failed is that an input could not be
// fetched, or that the engine refused, it says so by its code.
func (r *reporter) verdict() error {
	code := fault.Failed
	for only := range r.codes {
		if len(r.codes) == 1 {
			code = only
		}
	}
	var failed []string
	for _, c := range r.Cells {
		if c.Status == Fail {
			failed = append(failed, c.Name)
		}
	}
	switch {
	case len(failed) > 0:
		return fault.New(code, fmt.Sprintf("run one alone by its name, such as %s", failed[0]),
			"%d of %d tests failed in distributions: %s", len(failed), len(r.Cells), strings.Join(failed, ", "))
	case r.noDebian():
		return fault.New(fault.Fetch, "the reasons are above; DEBIAN_MIRROR names another mirror",
			"no Debian root could be had")
	case r.Passed == 0:
		return fault.New(fault.Failed, "the reasons are above", "nothing was run: all %d tests were skipped", r.Skipped)
	}
	return nil
}

// noDebian reports that Debian was to be tested, and no root of it could be had. One
// release that no mirror serves today may be skipped; all of them are most of the test.
func (r *reporter) noDebian() bool {
	lacking := false
	for _, c := range r.cells {
		switch {
		case c.distro.Suite == "":
		case r.noPlace[c.name()]:
			lacking = true
		case r.done[c.name()].Run != "":
			return false
		}
	}
	return lacking
}
