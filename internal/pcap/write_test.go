package pcap

import (
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/tcapflow/tcapflow/internal/sigtran/link"
)

// TestWriter reads what it wrote: several link types, a packet that was cut, times in
// nanoseconds.
func TestWriter(t *testing.T) {
	name := filepath.Join(t.TempDir(), "out.pcapng")
	if err := os.WriteFile(name, []byte("old"), 0o644); err != nil {
		t.Fatal(err)
	}
	w, err := CreateFile(name, true)
	if err != nil {
		t.Fatal(err)
	}
	packets := []Packet{
		{Time: 1709251198123456789, Link: link.Ethernet, Data: []byte("one"), Wire: 3},
		{Time: 1, Link: 276, Data: []byte("second"), Wire: 100},
		{Time: 0, Link: link.Ethernet, Data: []byte{}, Wire: 0},
	}
	for _, p := range packets {
		if err := w.Write(p); err != nil {
			t.Fatal(err)
		}
	}
	if b, _ := os.ReadFile(name); string(b) != "old" {
		t.Errorf("%q stands there before Close", b)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if got := readBack(t, name); !slices.EqualFunc(got, packets, samePacket) {
		t.Errorf("got %+v, want %+v", got, packets)
	}
}

func samePacket(a, b Packet) bool {
	return a.Time == b.Time && a.Link == b.Link && string(a.Data) == string(b.Data) && a.Wire == b.Wire
}

func readBack(t *testing.T, name string) (list []Packet) {
	t.Helper()
	src, err := OpenFile(name, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	for {
		p, err := src.Next()
		if err == io.EOF {
			return list
		}
		if err != nil {
			t.Fatal(err)
		}
		p.Data = slices.Clone(p.Data)
		list = append(list, p)
	}
}

// TestWriterDiscard leaves the folder as it was.
func TestWriterDiscard(t *testing.T) {
	dir := t.TempDir()
	w, err := CreateFile(filepath.Join(dir, "out.pcapng"), true)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Write(Packet{Link: link.Ethernet}); err != nil {
		t.Fatal(err)
	}
	w.Discard()
	if list, err := os.ReadDir(dir); err != nil || len(list) != 0 {
		t.Errorf("%v is left, error %v", list, err)
	}
}
