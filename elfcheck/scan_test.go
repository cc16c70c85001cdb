package elfcheck

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

// found are the offsets of each pattern.
func found(t *testing.T, r io.Reader, context int, patterns ...string) map[string][]int64 {
	t.Helper()
	hits := map[string][]int64{}
	err := scan(r, patterns, context, func(m match) {
		p := patterns[m.pattern]
		hits[p] = append(hits[p], m.off)
		if got := string(m.window[m.at : m.at+len(p)]); got != p {
			t.Errorf("the match of %q is %q", p, got)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return hits
}

// A match is found wherever it lies, once, above all across the border of two chunks.
func TestScanBorders(t *testing.T) {
	const needle, long = "/home/builder", "/home/builder/with/a/longer/path"
	const context = 40
	for _, off := range []int{
		0, 1, scanChunk - 1, scanChunk, scanChunk + len(long) - 5, scanChunk + len(long),
		scanChunk + len(long) + context, scanChunk + 2*context, 2*scanChunk + 7, 3*scanChunk - 4,
		3*scanChunk + 100 - len(needle),
	} {
		b := bytes.Repeat([]byte{'/'}, 3*scanChunk+100)
		copy(b[off:], needle)
		hits := found(t, iotest.HalfReader(bytes.NewReader(b)), context, needle, long, "absent")
		if len(hits) != 1 || !slices.Equal(hits[needle], []int64{int64(off)}) {
			t.Errorf("offset %d: %v", off, hits)
		}
	}
}

// Every match is told, with what stands around it.
func TestScanTellsAll(t *testing.T) {
	text := strings.Repeat("0123456789", scanChunk/4)
	n := 0
	err := scan(strings.NewReader(text), []string{"012"}, 25, func(m match) {
		n++
		before, after := string(m.before(25)), string(m.after(3, 25))
		if !strings.HasSuffix(text[:m.off], before) || !strings.HasPrefix(text[m.off+3:], after) {
			t.Fatalf("at %d: %q, %q", m.off, before, after)
		}
		if len(before) < min(25, int(m.off)) || len(after) < min(25, len(text)-int(m.off)-3) {
			t.Fatalf("at %d: only %q, %q are shown", m.off, before, after)
		}
	})
	if err != nil || n != len(text)/10 {
		t.Errorf("%d matches, want %d; %v", n, len(text)/10, err)
	}
}

func TestScanEnds(t *testing.T) {
	if hits := found(t, strings.NewReader("ab"), 80, "abc", "ab"); len(hits) != 1 {
		t.Error(hits)
	}
	if hits := found(t, strings.NewReader("aaa"), 0, "aa"); !slices.Equal(hits["aa"], []int64{0, 1}) {
		t.Error(hits)
	}
	nothing := func(match) {}
	if err := scan(strings.NewReader("ab"), []string{""}, 0, nothing); err == nil {
		t.Error("the empty string was searched for")
	}
	cause := errors.New("disk gone")
	if err := scan(iotest.ErrReader(cause), []string{"a"}, 0, nothing); !errors.Is(err, cause) {
		t.Errorf("a read error reads as %v", err)
	}
}

func BenchmarkScan(b *testing.B) {
	data := bytes.Repeat([]byte("tcapflow\x00\x01\x02/"), 2<<20)
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		if err := scan(bytes.NewReader(data), glibcMarks, shown, func(match) {}); err != nil {
			b.Fatal(err)
		}
	}
}
