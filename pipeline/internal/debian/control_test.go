package debian

import (
	"errors"
	"reflect"
	"strings"
	"testing"
)

func TestStanzas(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want []map[string]string
		fail string
	}{
		"two":            {text: "Package: a\nVersion: 1\n\nPackage: b\n", want: []map[string]string{{"Package": "a", "Version": "1"}, {"Package": "b"}}},
		"continuation":   {text: "Files:\n abc 1 x\n\tdef 2 y\nNext: z\n", want: []map[string]string{{"Files": "\nabc 1 x\ndef 2 y", "Next": "z"}}},
		"colons in it":   {text: "Homepage: https://a.example:80/\n", want: []map[string]string{{"Homepage": "https://a.example:80/"}}},
		"CRLF":           {text: "Package: a\r\n\r\nPackage: b\r\n", want: []map[string]string{{"Package": "a"}, {"Package": "b"}}},
		"comment":        {text: "Package: a\n# Package: b\nVersion: 1\n", want: []map[string]string{{"Package": "a", "Version": "1"}}},
		"blank lines":    {text: "\n \n\nPackage: a\n\t\n\n\nPackage: b", want: []map[string]string{{"Package": "a"}, {"Package": "b"}}},
		"empty":          {},
		"no colon":       {text: "Package a\n", fail: "no field"},
		"space in name":  {text: "Package : a\n", fail: "no field"},
		"no name":        {text: ": a\n", fail: "no field"},
		"no field above": {text: " x\n", fail: "continuation"},
		"orphan":         {text: "A: 1\n\n x\n", want: []map[string]string{{"A": "1"}}, fail: "continuation"},
		"endless line":   {text: "A: " + strings.Repeat("x", maxLine), fail: "too long"},
	} {
		t.Run(name, func(t *testing.T) {
			var got []map[string]string
			err := stanzas(strings.NewReader(c.text), func(f map[string]string) error { got = append(got, f); return nil })
			if (err == nil) != (c.fail == "") || (err != nil && !strings.Contains(err.Error(), c.fail)) {
				t.Errorf("error %v, want %q", err, c.fail)
			}
			if !reflect.DeepEqual(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
	stop := errors.New("stop")
	if err := stanzas(strings.NewReader("A: 1\n\nA: 2\n"), func(map[string]string) error { return stop }); err != stop {
		t.Errorf("got %v", err)
	}
}

// Fields that are written down again read the same.
func FuzzStanzas(f *testing.F) {
	f.Add("Package: a\nDepends: b (>= 1),\n c | d\n\nPackage: e\n")
	f.Add("SHA256:\n 00 1 x\n# no\n 11 2 y\r\n")
	f.Fuzz(func(t *testing.T, text string) {
		read := func(text string) (out []map[string]string, err error) {
			err = stanzas(strings.NewReader(text), func(f map[string]string) error { out = append(out, f); return nil })
			return out, err
		}
		first, err := read(text)
		if err != nil {
			return
		}
		var again strings.Builder
		for _, stanza := range first {
			for name, value := range stanza {
				again.WriteString(name + ": " + strings.ReplaceAll(value, "\n", "\n ") + "\n")
			}
			again.WriteString("\n")
		}
		second, err := read(again.String())
		if err != nil || !reflect.DeepEqual(first, second) {
			t.Errorf("%q\nbecame %q\n(%v)", first, second, err)
		}
	})
}
