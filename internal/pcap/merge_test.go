package pcap

import (
	"encoding/binary"
	"errors"
	"io"
	"os"
	"slices"
	"testing"
	"time"
)

// piped is a source on a pipe, and its other end.
func piped(t *testing.T) (Source, *os.File) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	whole := classicFile(binary.LittleEndian, 0xa1b2c3d4, time.Microsecond)
	if _, err := w.Write(whole); err != nil {
		t.Fatal(err)
	}
	s, err := OpenFile("-", r)
	if err != nil {
		t.Fatal(err)
	}
	return s, w
}

func TestMerge(t *testing.T) {
	a, endA := piped(t)
	b, endB := piped(t)
	m := Merge(a, b)
	defer m.Close()
	var got []string
	for len(got) < 4 {
		p, err := m.Next()
		if err == ErrIdle {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, string(p.Data))
	}
	if slices.Sort(got); !slices.Equal(got, []string{"pkt0", "pkt0", "pkt1", "pkt1"}) {
		t.Errorf("got %q", got)
	}
	if _, err := m.Next(); err != ErrIdle {
		t.Errorf("with nothing to come: %v", err)
	}
	endA.Close()
	endB.Close()
	for err := ErrIdle; err != io.EOF; _, err = m.Next() {
		if err != ErrIdle {
			t.Fatal(err)
		}
	}
	if n, err := m.Dropped(); n != 0 || err != nil {
		t.Errorf("%d dropped, %v", n, err)
	}
}

// TestMergeError hands on the error of one of the sources, and closes both.
func TestMergeError(t *testing.T) {
	a, endA := piped(t)
	b, endB := piped(t)
	m := Merge(a, b)
	endA.Write([]byte("half a header"))
	endA.Close()
	for err := error(nil); !errors.Is(err, ErrTruncated); _, err = m.Next() {
		if err != nil && err != ErrIdle {
			t.Fatal(err)
		}
	}
	endB.Close()
	if err := m.Close(); err != nil {
		t.Error(err)
	}
}

func TestMergeOne(t *testing.T) {
	a, end := piped(t)
	defer end.Close()
	if m := Merge(a); m != a {
		t.Error("one source needs no merging")
	}
	a.Close()
}
