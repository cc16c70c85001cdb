package elfcheck

import (
	"debug/elf"
	"errors"
	"testing"
)

func TestNotProgram(t *testing.T) {
	edited := func(change func(*edit)) []byte {
		e := newEdit(t, good(t))
		change(e)
		return e.b
	}
	withType := func(typ elf.Type) []byte {
		return edited(func(e *edit) { e.header(func(h *elf.Header64) { h.Type = uint16(typ) }) })
	}
	for name, c := range map[string]struct {
		file []byte
		says string
	}{
		"empty": {nil, "empty, not an ELF program"},
		"script": {[]byte("#!/bin/sh -e\nexec true\n"),
			`a script (it runs with "/bin/sh -e"), not an ELF program`},
		"archive":      {[]byte("!<arch>\ndebian-binary   "), "an archive (.a), not an ELF program"},
		"thin-archive": {[]byte("!<thin>\n"), "an archive (.a), not an ELF program"},
		"windows":      {[]byte("MZ\x90\x00\x03"), "a program for Windows (PE), not an ELF program"},
		"macos":        {[]byte("\xcf\xfa\xed\xfe\x07"), "a program for macOS (Mach-O), not an ELF program"},
		"macos-fat": {[]byte("\xca\xfe\xba\xbe\x00\x00\x00\x02"),
			"a program for macOS (Mach-O), not an ELF program"},
		"java-class":  {[]byte("\xca\xfe\xba\xbe\x00\x00\x00\x41"), "an unknown kind of file, not an ELF program"},
		"gzip":        {[]byte("\x1f\x8b\x08\x00"), "compressed (gzip), not an ELF program"},
		"text":        {[]byte("hello\n"), "an unknown kind of file, not an ELF program"},
		"object-file": {withType(elf.ET_REL), "an object file (.o), not an ELF program"},
		"core-dump":   {withType(elf.ET_CORE), "a core dump, not an ELF program"},
		"other-type":  {withType(elf.ET_LOOS), "an ELF file of type ET_LOOS, not an ELF program"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Inspect(write(t, c.file))
			var kind NotProgram
			if !errors.As(err, &kind) || err.Error() != c.says {
				t.Errorf("got %v, want %s", err, c.says)
			}
		})
	}
}
