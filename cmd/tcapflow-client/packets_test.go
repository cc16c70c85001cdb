package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/tcapflow/tcapflow/internal/sigtran/sigtrantest"
)

// dialogueLines are the lines of dialogues, in the order of their text, without what
// belongs to the whole capture: frame numbers, and which of two reasons was the first to
// end a dialogue without an end.
func dialogueLines(t *testing.T, args ...string) []string {
	t.Helper()
	var stdout, stderr bytes.Buffer
	run(append([]string{"read"}, args...), os.Stdin, &stdout, &stderr)
	numbers := regexp.MustCompile(`"\w*frame":\d+,`)
	var lines []string
	for l := range strings.Lines(stdout.String()) {
		if strings.HasPrefix(l, `{"type":"dialogue"`) {
			l = numbers.ReplaceAllString(l, "")
			lines = append(lines, strings.Replace(l, `"outcome":"timeout"`, `"outcome":"capture-end"`, 1))
		}
	}
	slices.Sort(lines)
	return lines
}

// sameDialogues writes the packets of a capture's dialogues and compares what both files
// give.
func sameDialogues(t *testing.T, path string, filter ...string) (dialogues int) {
	t.Helper()
	written := filepath.Join(t.TempDir(), "written.pcapng")
	want := dialogueLines(t, slices.Concat([]string{"-write-pcap", written}, filter, []string{path})...)
	got := dialogueLines(t, slices.Concat(filter, []string{written})...)
	if !slices.Equal(got, want) {
		t.Errorf("%d dialogues, of the capture %d:\n%s\n%s", len(got), len(want),
			strings.Join(got, ""), strings.Join(want, ""))
	}
	return len(want)
}

// TestPacketsGiveSameDialogues has traffic with messages that come again, too early, and
// of several dialogues in a packet.
func TestPacketsGiveSameDialogues(t *testing.T) {
	path := filepath.Join(t.TempDir(), "traffic.pcap")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := sigtrantest.NewTraffic().WriteTo(f, 20000); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	all := sameDialogues(t, path)
	if some := sameDialogues(t, path, "-operation", "updateLocation"); some == 0 || some >= all {
		t.Errorf("%d of %d dialogues match", some, all)
	}
}

// TestPacketsOfCaptures does so with the captures beside the repository: fragments of IP
// and SCTP, segments, national variants, returned messages.
func TestPacketsOfCaptures(t *testing.T) {
	capturePath(t, ".")
	files, err := filepath.Glob(filepath.Join(captures, "field", "*cap*"))
	if err != nil {
		t.Fatal(err)
	}
	more, _ := filepath.Glob(filepath.Join(captures, "*cap*"))
	for _, path := range slices.Concat(files, more) {
		t.Run(filepath.Base(path), func(t *testing.T) { sameDialogues(t, path) })
	}
}
