package pcap

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
)

// TestFollow has a writer that stops after every octet: each packet comes once, whatever
// the reader had of it before.
func TestFollow(t *testing.T) {
	dir := t.TempDir()
	ng := filepath.Join(dir, "whole.pcapng")
	writeTwo(t, ng)
	for _, whole := range []string{ng, "../../cmd/tcapflow-client/testdata/dialogues.pcap"} {
		t.Run(filepath.Base(whole), func(t *testing.T) { followOctets(t, whole) })
	}
}

func writeTwo(t *testing.T, name string) {
	t.Helper()
	w, err := CreateFile(name, false)
	if err != nil {
		t.Fatal(err)
	}
	one, two := Packet{Time: 1, Link: 1, Data: []byte("one")}, Packet{Time: 2, Link: 276, Data: []byte("second")}
	for _, p := range []Packet{one, two} {
		if err := w.Write(p); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

func followOctets(t *testing.T, whole string) {
	want := readBack(t, whole)
	rest, err := os.ReadFile(whole)
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "grows")
	out, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	// The writer writes when the reader is at the end, so that no time passes.
	left := false
	src, err := Follow(name, func(*os.File, int64) bool { return left })
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	src.(*followed).tail.pause = func() {
		if left = len(rest) == 0; left {
			return
		}
		if _, err := out.Write(rest[:1]); err != nil {
			t.Error(err)
		}
		rest = rest[1:]
	}
	for i := 0; ; {
		p, err := src.Next()
		switch {
		case err == ErrIdle:
			continue
		case err == io.EOF && i == len(want):
			return
		case err != nil || i == len(want) || !samePacket(p, want[i]):
			t.Fatalf("packet %d: got %+v, error %v", i, p, err)
		}
		i++
	}
}

// TestFollowCut has a writer that goes away in the middle of a packet.
func TestFollowCut(t *testing.T) {
	name := filepath.Join(t.TempDir(), "cut.pcapng")
	writeTwo(t, name)
	info, err := os.Stat(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(name, info.Size()-20); err != nil {
		t.Fatal(err)
	}
	src, err := Follow(name, func(*os.File, int64) bool { return true })
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	if _, err := src.Next(); err != nil {
		t.Fatal(err)
	}
	if _, err := src.Next(); !errors.Is(err, ErrTruncated) {
		t.Errorf("error %v", err)
	}
}
