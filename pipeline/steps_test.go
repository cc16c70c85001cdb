package pipeline

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
)

func TestRunSteps(t *testing.T) {
	ran := ""
	named := func(name string, err error) step {
		return step{name: name, run: func() error { ran += name; return err }}
	}
	broken := errors.New("broken")
	tests := []struct {
		steps       []step
		ran, stdout string
		err         error
	}{
		{[]step{named("a", nil), named("b", nil)}, "ab",
			"\nSTEP   TIME  VERDICT\na      0s    ok\nb      0s    ok\ntotal  0s\n2 passed, 0 failed\n", nil},
		{[]step{named("a", nil), named("b", broken), named("c", nil)}, "ab",
			"\nSTEP   TIME  VERDICT\na      0s    ok\nb      0s    FAIL\ntotal  0s\n1 passed, 1 failed, 1 skipped\n", broken},
	}
	for _, tt := range tests {
		ran = ""
		var stdout bytes.Buffer
		err := runSteps(tt.steps, &stdout, io.Discard)
		if !errors.Is(err, tt.err) || ran != tt.ran || stdout.String() != tt.stdout {
			t.Errorf("ran %q, error %v, printed\n%s\nwant %q, %v,\n%s", ran, err, &stdout, tt.ran, tt.err, tt.stdout)
		}
		if err != nil && !strings.HasPrefix(err.Error(), "b: ") {
			t.Errorf("the error does not name the step: %v", err)
		}
	}
}

// Each package with a test for the engine is run, and no other.
func TestEngineTests(t *testing.T) {
	list, err := engineTests("..")
	if err != nil || len(list) != 1 {
		t.Fatal(list, err)
	}
	for name, want := range map[string]bool{
		"./pipeline": true, "./pipeline/internal/engine": true, "./pipeline/internal/plan": false,
	} {
		if slices.Contains(list[0].args, name) != want {
			t.Errorf("%s is in %q: %v, want %v", name, list[0].args, !want, want)
		}
	}
}
