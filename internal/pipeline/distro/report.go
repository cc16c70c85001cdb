package distro

import (
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
	"sync"
	"time"

	"github.com/tcapflow/tcapflow/internal/pipeline/fault"
)

// Status is how a cell ended.
type Status string

const (
	Pass Status = "PASS"
	Fail Status = "FAIL"
	Skip Status = "SKIP"
)

// Result is a cell that is over.
type Result struct {
	Name    string  `json:"name"` // debian12/amd64/deb/read
	Status  Status  `json:"status"`
	Reason  string  `json:"reason,omitempty"` // of a failure or a skip
	Seconds float64 `json:"seconds"`
}

// Report is a run: the cells in the table's order.
type Report struct {
	Cells   []Result `json:"cells"`
	Passed  int      `json:"passed"`
	Failed  int      `json:"failed"`
	Skipped int      `json:"skipped"`
	Seconds float64  `json:"seconds"`
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
	order []string
	width int
	done  map[string]Result
	start time.Time
}

func newReport(out io.Writer, cells []cell, start time.Time) *reporter {
	r := &reporter{out: out, done: map[string]Result{}, codes: map[fault.Code]bool{}, start: start}
	for _, c := range cells {
		r.order = append(r.order, c.name())
		r.width = max(r.width, len(c.name()))
	}
	return r
}

// result adds a cell that ended with err.
func (r *reporter) result(c cell, err error, start time.Time) {
	r.add(c.name(), []cell{c}, err, time.Since(start))
}

// place adds the cells of a container that could not be had: one line for all.
func (r *reporter) place(cells []cell, err error, start time.Time) {
	r.add(path.Dir(cells[0].name()), cells, fmt.Errorf("(%d tests) %w", len(cells), err), time.Since(start))
}

func (r *reporter) add(name string, cells []cell, err error, took time.Duration) {
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
		r.done[c.name()] = Result{Name: c.name(), Status: status, Reason: reason, Seconds: took.Seconds()}
	}
	line := fmt.Sprintf("%s  %-*s %6.1fs  %s", status, r.width, name, took.Seconds(), strings.ReplaceAll(reason, "\n", "\n      "))
	fmt.Fprintln(r.out, strings.TrimRight(line, " "))
}

// finish puts the results into the table's order, counts them and prints the count.
func (r *reporter) finish() {
	for _, name := range r.order {
		result := r.done[name]
		r.Cells = append(r.Cells, result)
		switch result.Status {
		case Pass:
			r.Passed++
		case Fail:
			r.Failed++
		case Skip:
			r.Skipped++
		}
	}
	r.Seconds = time.Since(r.start).Seconds()
	fmt.Fprintf(r.out, "%d passed, %d failed, %d skipped in %.1fs\n", r.Passed, r.Failed, r.Skipped, r.Seconds)
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
	case r.Passed == 0:
		return fault.New(fault.Failed, "the reasons are above", "nothing was run: all %d tests were skipped", r.Skipped)
	}
	return nil
}
