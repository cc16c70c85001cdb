package elfcheck

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"fmt"
	"io"
	"io/fs"
	"strings"
)

// NotProgram is the error for a file that can be read but is no ELF program. It says what the file is
// instead: "a script", "a core dump".
type NotProgram string

func (n NotProgram) Error() string { return string(n) + ", not an ELF program" }

// magics are the first bytes of files that people take for a binary.
var magics = []struct{ bytes, kind string }{
	{"!<arch>\n", "an archive (.a)"},
	{"!<thin>\n", "an archive (.a)"},
	{"MZ", "a program for Windows (PE)"},
	{"\xfe\xed\xfa\xce", "a program for macOS (Mach-O)"},
	{"\xfe\xed\xfa\xcf", "a program for macOS (Mach-O)"},
	{"\xce\xfa\xed\xfe", "a program for macOS (Mach-O)"},
	{"\xcf\xfa\xed\xfe", "a program for macOS (Mach-O)"},
	{"\x00asm", "WebAssembly"},
	{"\x1f\x8b", "compressed (gzip)"},
	{"\xfd7zXZ\x00", "compressed (xz)"},
	{"\x28\xb5\x2f\xfd", "compressed (zstd)"},
	{"PK\x03\x04", "a zip archive"},
	{"BC\xc0\xde", "LLVM bitcode"},
}

// notRegular names what has no bytes to look at.
func notRegular(mode fs.FileMode) NotProgram {
	switch {
	case mode.IsDir():
		return "a folder"
	case mode&fs.ModeNamedPipe != 0:
		return "a named pipe"
	case mode&fs.ModeSocket != 0:
		return "a socket"
	case mode&fs.ModeDevice != 0:
		return "a device"
	}
	return "no regular file"
}

// notELF tells by its first bytes what a file is that is not ELF; nil for one that begins as ELF does.
func notELF(r io.ReaderAt, size int64) error {
	head := make([]byte, min(size, 256))
	if n, err := r.ReadAt(head, 0); n < len(head) {
		return fmt.Errorf("cannot be read: %w", err)
	}
	switch {
	case size == 0:
		return NotProgram("empty")
	case bytes.HasPrefix(head, []byte(elf.ELFMAG)):
		return nil
	case bytes.HasPrefix(head, []byte("#!")):
		line, _, _ := bytes.Cut(head[2:], []byte("\n"))
		return NotProgram(fmt.Sprintf("a script (it runs with %q)", strings.TrimSpace(string(line))))
	case isFatMachO(head):
		return NotProgram("a program for macOS (Mach-O)")
	}
	for _, m := range magics {
		if bytes.HasPrefix(head, []byte(m.bytes)) {
			return NotProgram(m.kind)
		}
	}
	return NotProgram("an unknown kind of file")
}

// isFatMachO tells a Mach-O for several machines from a Java class, which has the same magic and, where the
// number of machines would be, a version of 45 or more.
func isFatMachO(head []byte) bool {
	const magic = 0xcafebabe
	return len(head) >= 8 && binary.BigEndian.Uint32(head) == magic && binary.BigEndian.Uint32(head[4:]) < 45
}

// notProgram tells by its type what an ELF file is that no kernel starts; nil for one that it might. Whether
// ET_DYN is a program or a library is up to [Want.Check].
func notProgram(t elf.Type) error {
	switch t {
	case elf.ET_EXEC, elf.ET_DYN:
		return nil
	case elf.ET_REL:
		return NotProgram("an object file (.o)")
	case elf.ET_CORE:
		return NotProgram("a core dump")
	}
	return NotProgram("an ELF file of type " + t.String())
}
