package pcap

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"

	"github.com/tcapflow/tcapflow/internal/sigtran/link"
)

// Writer writes packets to a pcapng file: that format can hold packets of several link
// types, and times in nanoseconds.
type Writer struct {
	name, temp string // temp is "" where the file itself is written
	file       *os.File
	ng         *pcapgo.NgWriter
	interfaces map[link.Type]int
}

// CreateFile makes a file that only its user may read: captures show subscribers. If
// atomic, it gets its name when it is closed, and what had this name before stays until
// then; what is no regular file, such as a pipe, is written to as it is.
func CreateFile(name string, atomic bool) (*Writer, error) {
	info, err := os.Stat(name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	w := &Writer{name: name, interfaces: make(map[link.Type]int)}
	if atomic && (err != nil || info.Mode().IsRegular()) {
		w.file, err = os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".*")
		if err == nil {
			w.temp = w.file.Name()
		}
	} else {
		w.file, err = os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	}
	if err != nil {
		return nil, err
	}
	return w, nil
}

// Write adds a packet.
func (w *Writer) Write(p Packet) error {
	number, err := w.interfaceOf(p.Link)
	if err != nil {
		return err
	}
	return w.ng.WritePacket(gopacket.CaptureInfo{
		Timestamp:      time.Unix(0, p.Time),
		CaptureLength:  len(p.Data),
		Length:         max(p.Wire, len(p.Data)),
		InterfaceIndex: number,
	}, p.Data)
}

// interfaceOf is the number of the interface that stands for a link type.
func (w *Writer) interfaceOf(t link.Type) (number int, err error) {
	if number, ok := w.interfaces[t]; ok {
		return number, nil
	}
	i := pcapgo.NgInterface{LinkType: layers.LinkType(t), TimestampResolution: 9}
	if w.ng == nil {
		w.ng, err = pcapgo.NewNgWriterInterface(w.file, i, pcapgo.NgWriterOptions{
			SectionInfo: pcapgo.NgSectionInfo{Application: "tcapflow-client"},
		})
	} else {
		number, err = w.ng.AddInterface(i)
	}
	if err == nil {
		w.interfaces[t] = number
	}
	return number, err
}

// Flush writes what is buffered.
func (w *Writer) Flush() error {
	if w.ng == nil {
		return nil
	}
	return w.ng.Flush()
}

// Close finishes the file; without packets it is one of Ethernet that has none.
func (w *Writer) Close() error {
	var err error
	if w.ng == nil {
		_, err = w.interfaceOf(link.Ethernet)
	}
	err = errors.Join(err, w.Flush(), w.file.Close())
	if err != nil {
		w.discard()
		return err
	}
	if w.temp == "" {
		return nil
	}
	if err := os.Rename(w.temp, w.name); err != nil {
		w.discard()
		return err
	}
	return nil
}

// Discard ends a file that is not to be finished: of an atomic one, nothing stays.
func (w *Writer) Discard() {
	w.file.Close()
	w.discard()
}

func (w *Writer) discard() {
	if w.temp != "" {
		os.Remove(w.temp)
	}
}
