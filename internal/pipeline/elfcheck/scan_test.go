package elfcheck

import (
	"bytes"
	"errors"
	"maps"
	"strings"
	"testing"
	"testing/iotest"
)

// A match is found wherever it lies, above all across the border of two chunks.
func TestScanBorders(t *testing.T) {
	const needle, long = "/home/builder", "/home/builder/with/a/longer/path"
	for _, off := range []int{0, 1, scanChunk - 1, scanChunk, scanChunk + len(long) - 5, scanChunk + len(long), 2*scanChunk + 7, 3*scanChunk - 4} {
		b := bytes.Repeat([]byte{'/'}, 3*scanChunk+100)
		copy(b[off:], needle)
		hits, err := scan(iotest.HalfReader(bytes.NewReader(b)), []string{needle, long, "absent"})
		if want := map[string]int64{needle: int64(off)}; err != nil || !maps.Equal(hits, want) {
			t.Errorf("offset %d: %v, %v", off, hits, err)
		}
	}
}

func TestScanEnds(t *testing.T) {
	if hits, err := scan(strings.NewReader("ab"), []string{"abc", "ab"}); err != nil || len(hits) != 1 {
		t.Error(hits, err)
	}
	if _, err := scan(strings.NewReader("ab"), []string{""}); err == nil {
		t.Error("the empty string was searched for")
	}
	cause := errors.New("disk gone")
	if _, err := scan(iotest.ErrReader(cause), []string{"a"}); !errors.Is(err, cause) {
		t.Errorf("a read error reads as %v", err)
	}
}

func BenchmarkScan(b *testing.B) {
	data := bytes.Repeat([]byte("tcapflow\x00\x01\x02/"), 2<<20)
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		if _, err := scan(bytes.NewReader(data), append([]string{muslMark}, glibcMarks...)); err != nil {
			b.Fatal(err)
		}
	}
}
