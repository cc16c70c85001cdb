package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/tcapflow/tcapflow/internal/export"
	"github.com/tcapflow/tcapflow/internal/pcap"
)

// createPackets makes the file of -write-pcap, if there is one to be: it must be none of
// those that are read. If atomic, it gets its name when it is whole.
func (f *flow) createPackets(atomic bool, inputs ...string) (err error) {
	if f.packets == nil {
		return nil
	}
	for _, name := range inputs {
		if sameFile(name, f.options.writePcap) {
			return fmt.Errorf("%s: is read: -write-pcap wants another file", f.options.writePcap)
		}
	}
	return f.openPackets(atomic)
}

func sameFile(a, b string) bool {
	x, err := os.Stat(a)
	if err != nil {
		return false
	}
	y, err := os.Stat(b)
	return err == nil && os.SameFile(x, y)
}

func (f *flow) writePacket(p pcap.Packet) error { return f.named(f.file.Write(p)) }

// named adds the file's name where the error has none.
func (f *flow) named(err error) error {
	var path *os.PathError
	if err == nil || errors.As(err, &path) {
		return err
	}
	return fmt.Errorf("%s: %w", f.options.writePcap, err)
}

// lastPackets writes the rest of the packets.
func (f *flow) lastPackets() error {
	if f.packets == nil {
		return nil
	}
	err := f.packets.Close()
	f.summary.WritePcap = f.packetCounters()
	return err
}

// closePackets ends the file, once all other output is written.
func (f *flow) closePackets() error {
	if f.file == nil {
		return nil
	}
	err := f.named(f.file.Close())
	f.file = nil
	return err
}

// discardPackets ends the file where closePackets was not reached: an atomic one
// vanishes, another one has what it has.
func (f *flow) discardPackets() {
	if f.file != nil {
		f.file.Discard()
	}
}

func (f *flow) packetCounters() export.PacketCounters {
	if f.packets == nil {
		return export.PacketCounters{}
	}
	return f.packets.Counters
}
