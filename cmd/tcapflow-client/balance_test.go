package main

import (
	"io"
	"io/fs"
	"path/filepath"
	"testing"

	"github.com/tcapflow/tcapflow/internal/pcap"
	"github.com/tcapflow/tcapflow/internal/sigtran"
)

// TestBalance counts all that is in the captures at hand: nothing vanishes.
func TestBalance(t *testing.T) {
	read := 0
	err := filepath.WalkDir(capturePath(t, "."), func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		src, err := pcap.OpenFile(path, nil)
		if err != nil {
			return nil // not a capture
		}
		defer src.Close()
		read++
		d := sigtran.NewDecoder(sigtran.Options{Auto: true})
		for p, err := src.Next(); err != io.EOF; p, err = src.Next() {
			if err != nil {
				t.Fatalf("%s: %v", path, err)
			}
			d.Decode(p.Link, p.Time, p.Time, p.Data, p.Wire > len(p.Data))
		}
		d.Close()
		c := d.Counters()
		if err := c.Balance(); err != nil {
			t.Errorf("%s: %v", path, err)
		}
		return nil
	})
	if err != nil || read == 0 {
		t.Errorf("%d captures read, %v", read, err)
	}
}
