package main

import "testing"

func TestPointCode(t *testing.T) {
	for in, want := range map[string]uint32{
		"0": 0, "16383": 16383, "16777215": 1<<24 - 1, "1-2-3": 0x010203, "255-255-255": 1<<24 - 1,
		"itu:1-2-3": 1<<11 | 2<<3 | 3, "itu:7-255-7": 1<<14 - 1,
	} {
		if got, err := pointCode(in); err != nil || got != want {
			t.Errorf("%s: got %d, %v, want %d", in, got, err, want)
		}
	}
	for _, in := range []string{"", "x", "-1", "16777216", "1-2", "1-2-3-4", "256-0-0", "itu:8-0-0", "itu:5"} {
		if got, err := pointCode(in); err == nil {
			t.Errorf("%s: got %d", in, got)
		}
	}
}
