package stream

import (
	"errors"
	"io"
	"strings"
	"testing"
)

func TestThrough(t *testing.T) {
	ours, theirs := errors.New("the file changed"), errors.New("connection lost")
	text := strings.Repeat("x", 1<<20)
	write := func(w io.Writer) error {
		_, err := io.WriteString(w, text)
		return err
	}
	drain := func(r io.Reader) error {
		_, err := io.Copy(io.Discard, r)
		return err
	}
	for name, test := range map[string]struct {
		produce func(io.Writer) error
		consume func(io.Reader) error
		want    error
	}{
		"both do": {write, drain, nil},
		"the producer fails": {
			func(w io.Writer) error { return errors.Join(write(w), ours) },
			func(r io.Reader) error { return errors.Join(theirs, drain(r)) }, ours,
		},
		"the producer fails at once":         {func(io.Writer) error { return ours }, drain, ours},
		"the consumer fails":                 {write, func(io.Reader) error { return theirs }, theirs},
		"the consumer has all that it wants": {write, func(io.Reader) error { return nil }, nil},
		"the consumer fails, and the producer wraps what it meets": {
			func(w io.Writer) error {
				if write(w) != nil {
					return errors.New("write")
				}
				return nil
			},
			func(io.Reader) error { return theirs }, theirs,
		},
		"the consumer fails when all is read": {
			write, func(r io.Reader) error { return errors.Join(drain(r), theirs) }, theirs,
		},
	} {
		t.Run(name, func(t *testing.T) {
			ended := false
			err := Through(func(w io.Writer) error {
				defer func() { ended = true }()
				return test.produce(w)
			}, test.consume)
			if !errors.Is(err, test.want) || test.want == ours && errors.Is(err, theirs) {
				t.Errorf("got %v, want %v", err, test.want)
			}
			if !ended {
				t.Error("the producer still runs")
			}
		})
	}
}
