package pcap

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
)

// fileBuffer is the buffer of a file reader: any packet with its headers fits, so that Next
// can hand out the buffer itself.
const fileBuffer = 1 << 20

// OpenFile opens a capture file: pcap with time stamps in microseconds or
// nanoseconds, of either byte order, with Kuznetzov's longer packet headers, or
// pcapng; as it is or compressed by gzip. Name "-" reads stdin.
func OpenFile(name string, stdin *os.File) (Source, error) {
	f := stdin
	if name != "-" {
		var err error
		if f, err = os.Open(name); err != nil {
			return nil, errors.Unwrap(err)
		}
		if info, err := f.Stat(); err == nil && info.IsDir() {
			f.Close()
			return nil, errors.New("is a directory")
		}
	}
	r, err := newReader(f, fileBuffer)
	if err != nil {
		if f != stdin {
			f.Close()
		}
		return nil, err
	}
	return &file{reader: r, file: f}, nil
}

// reader reads the packets of one format.
type reader interface {
	next() (Packet, error)
	buffered() int // octets that can be had without waiting
}

type file struct {
	reader
	file *os.File
}

// MayWait is true where a pipe may have to be waited for: nothing of it is at hand.
func (f *file) MayWait() bool { return f.buffered() == 0 }

func (f *file) Next() (Packet, error) { return f.next() }

func (f *file) Dropped() (uint64, error) { return 0, nil }

func (f *file) Close() error { return f.file.Close() }

var magicGzip = []byte{0x1f, 0x8b} // RFC 1952 §2.3.1

// newReader tells the format; size is that of the buffer.
func newReader(f io.Reader, size int) (reader, error) {
	b := bufio.NewReaderSize(f, size)
	if head, _ := b.Peek(len(magicGzip)); bytes.Equal(head, magicGzip) {
		z, err := gzip.NewReader(b)
		if err != nil {
			return nil, cutOr(err)
		}
		b = bufio.NewReaderSize(z, size)
	}
	return sniff(b)
}

// sniff tells the format of what is not compressed. Nothing is consumed where b has
// ErrIdle, so that it can be called again.
func sniff(b *bufio.Reader) (reader, error) {
	head, err := b.Peek(4)
	switch {
	case len(head) == 0 && err == io.EOF:
		return nil, ErrEmpty
	case err != nil:
		return nil, cutOr(err)
	case bytes.Equal(head, magicNG):
		return newNG(b)
	}
	return newClassic(b, head)
}

// cutOr takes an end of file, where none is due, for a file that is cut.
func cutOr(err error) error {
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return ErrTruncated
	case errors.Is(err, gzip.ErrHeader), errors.Is(err, gzip.ErrChecksum):
		return fmt.Errorf("%w: %v", ErrCorrupt, err)
	}
	return err
}

// take returns the next n octets, which are valid until the next read.
func take(r *bufio.Reader, n int) ([]byte, error) {
	b, err := r.Peek(n)
	if err != nil {
		return nil, cutOr(err)
	}
	r.Discard(n) // cannot fail: they were just peeked at
	return b, nil
}
