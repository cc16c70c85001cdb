package elfcheck

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
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

// A packed section is searched whole, or else the file is refused.
func TestForbiddenPacked(t *testing.T) {
	b := withSections(tiny64(binary.LittleEndian, elf.ELFDATA2LSB))
	findings, err := forbiddenPacked(bytes.NewReader(b), []string{"home/"}, 8)
	if err != nil || rules(findings) != "host-path" {
		t.Error(findings, err)
	}
	if _, err := forbiddenPacked(bytes.NewReader(b), []string{"home/"}, 5); err == nil {
		t.Error("a section that unpacks to more than the budget passed")
	}
	damaged := bytes.Replace(b, []byte("/home/\x07"), []byte("/home/\x08"), 1)
	if _, err := forbiddenPacked(bytes.NewReader(damaged), []string{"absent"}, 8); err == nil {
		t.Error("a section that cannot be unpacked passed")
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
