package elfcheck

import (
	"debug/elf"
	"encoding/hex"
	"fmt"
	"io"
)

// Note types of owner "GNU" (elf.h).
const (
	ntGNUABITag  = 1
	ntGNUBuildID = 3
)

// maxNotes bounds all notes of a file, in bytes; real ones have a few hundred.
const maxNotes = 1 << 20

// noteFacts reads the notes of segments and of sections: Go's own linker puts the GNU build ID in a
// section that no PT_NOTE covers.
func (img *image) noteFacts(f *Facts) error {
	budget := uint64(maxNotes)
	read := func(r io.Reader, size, align uint64) error {
		if size > budget {
			return fmt.Errorf("more than %s of notes: no linker writes so much", bytesText(maxNotes))
		}
		budget -= size
		note := make([]byte, size)
		if _, err := io.ReadFull(r, note); err != nil {
			return fmt.Errorf("note: %w", err)
		}
		img.readNotes(note, align, f)
		return nil
	}
	for _, p := range img.Progs {
		if p.Type == elf.PT_NOTE {
			if err := read(p.Open(), p.Filesz, p.Align); err != nil {
				return err
			}
		}
	}
	for _, s := range img.Sections {
		if s.Type == elf.SHT_NOTE {
			if err := read(s.Open(), s.Size, s.Addralign); err != nil {
				return err
			}
		}
	}
	return nil
}

// readNotes reads a row of notes: words namesz, descsz, type, then name and desc, each padded to the
// alignment of 4 or 8 (gABI "Note Section"; Linux extensions to gABI for 8).
func (img *image) readNotes(note []byte, align uint64, f *Facts) {
	if align != 8 {
		align = 4
	}
	pad := func(n uint64) uint64 { return (n + align - 1) &^ (align - 1) }
	size := uint64(len(note))
	for at := uint64(0); at+12 <= size; {
		word := func(i uint64) uint64 { return uint64(img.ByteOrder.Uint32(note[at+4*i:])) }
		name, desc := at+12, pad(at+12+word(0))
		end := desc + word(1)
		if end > size {
			return // an owner's own layout; nothing hangs on it
		}
		if string(note[name:name+word(0)]) == "GNU\x00" {
			switch word(2) {
			case ntGNUABITag:
				// Only glibc's crt1.o and rcrt1.o write one (csu/abi-note.c); musl's do not.
				f.Libc, f.LibcEvidence = "glibc", "note NT_GNU_ABI_TAG"
			case ntGNUBuildID:
				f.BuildID = hex.EncodeToString(note[desc:end])
			}
		}
		at = pad(end)
	}
}
