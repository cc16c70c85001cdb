package main

import (
	"errors"
	"flag"
	"strconv"
	"strings"

	"github.com/tcapflow/tcapflow/internal/dialogue"
)

// filterFlags defines the flags that select lines. Those with a list take several
// values, separated by commas, and may be repeated.
func (o *flowOptions) filterFlags(f *flag.FlagSet) {
	list(f, "gt", &o.filter.GTs, titlePrefix)
	list(f, "pc", &o.filter.PointCodes, pointCode)
	list(f, "ssn", &o.filter.SSNs, subsystem)
	list(f, "operation", &o.filter.Operations, func(v string) (string, error) { return v, nil })
	list(f, "outcome", &o.filter.Outcomes, outcome)
	f.DurationVar(&o.filter.MinLatency, "min-latency", 0, "")
}

// list defines a flag whose values are separated by commas.
func list[T any](f *flag.FlagSet, name string, to *[]T, parse func(string) (T, error)) {
	f.Func(name, "", func(values string) error {
		for text := range strings.SplitSeq(values, ",") {
			v, err := parse(text)
			if err != nil {
				return err
			}
			*to = append(*to, v)
		}
		return nil
	})
}

func titlePrefix(v string) (string, error) {
	if strings.Trim(v, "0123456789ABCDEF") != "" || v == "" {
		return "", errors.New("want the first digits of a global title")
	}
	return v, nil
}

func subsystem(v string) (uint8, error) {
	n, err := strconv.ParseUint(v, 10, 8)
	if err != nil {
		return 0, errors.New("want a subsystem number, 0 to 255")
	}
	return uint8(n), nil
}

func outcome(v string) (dialogue.Outcome, error) {
	o, ok := dialogue.ParseOutcome(v)
	if !ok {
		return 0, errors.New("want end, abort, timeout, undeliverable, replaced, evicted or capture-end")
	}
	return o, nil
}

// pointCode reads a point code: decimal, or as three parts of 8 bits, network, cluster
// and member (ANSI T1.111.8 §3), or of 3, 8 and 3 bits, zone, area and signalling point
// (ITU-T Q.708 §2.1), which are told apart by a leading "itu:".
func pointCode(v string) (uint32, error) {
	wrong := errors.New("want a point code: decimal, ANSI's 1-2-3, or ITU's itu:1-2-3")
	v, itu := strings.CutPrefix(v, "itu:")
	parts := strings.Split(v, "-")
	if len(parts) == 1 && !itu {
		n, err := strconv.ParseUint(v, 10, 24)
		if err != nil {
			return 0, wrong
		}
		return uint32(n), nil
	}
	bits := [3]int{8, 8, 8}
	if itu {
		bits = [3]int{3, 8, 3}
	}
	if len(parts) != len(bits) {
		return 0, wrong
	}
	var code uint32
	for i, part := range parts {
		n, err := strconv.ParseUint(part, 10, bits[i])
		if err != nil {
			return 0, wrong
		}
		code = code<<bits[i] | uint32(n)
	}
	return code, nil
}
