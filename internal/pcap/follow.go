package pcap

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"os"
	"time"
)

// pollEvery is how long a Source that follows a file waits at its end.
const pollEvery = 200 * time.Millisecond

// ErrCompressed is for files that cannot be followed: what gzip has not written yet is
// in no state to be read.
var ErrCompressed = errors.New("a compressed file cannot be followed: read it when it is whole")

// Follow opens a capture file that is being written. At its end Next returns ErrIdle
// every 200 ms, also in the middle of a packet of which the writer has buffered the
// rest, and goes on with it later. It is the end once moved says that the writer has
// gone on to another file, or begun this one anew: it is given the open file and how
// much of it was read.
func Follow(name string, moved func(f *os.File, offset int64) bool) (Source, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, errors.Unwrap(err)
	}
	t := &tail{file: f, moved: moved, pause: func() { time.Sleep(pollEvery) }}
	return &followed{tail: t, buffer: bufio.NewReaderSize(t, fileBuffer)}, nil
}

// tail reads a file that grows.
type tail struct {
	file   *os.File
	moved  func(f *os.File, offset int64) bool
	offset int64
	pause  func()
	last   bool // the writer has gone: the end of the file is its end
}

func (t *tail) Read(b []byte) (int, error) {
	for {
		n, err := t.file.Read(b)
		t.offset += int64(n)
		switch {
		case n > 0:
			return n, nil
		case err != io.EOF || t.last:
			return 0, err
		}
		// What was written between that read and the writer's going is read yet.
		if t.last = t.moved(t.file, t.offset); !t.last {
			t.pause()
			return 0, ErrIdle
		}
	}
}

// followed is a file whose format is known once its first octets are there.
type followed struct {
	tail   *tail
	buffer *bufio.Reader
	reader reader
}

func (f *followed) Next() (Packet, error) {
	if f.reader == nil {
		if head, _ := f.buffer.Peek(len(magicGzip)); bytes.Equal(head, magicGzip) {
			return Packet{}, ErrCompressed
		}
		r, err := sniff(f.buffer)
		if err != nil {
			return Packet{}, err
		}
		f.reader = r
	}
	return f.reader.next()
}

func (f *followed) Dropped() (uint64, error) { return 0, nil }

// MayWait is false: Next returns ErrIdle in time.
func (f *followed) MayWait() bool { return false }

func (f *followed) Close() error { return f.tail.file.Close() }
