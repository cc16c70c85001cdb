package elfcheck

import (
	"bufio"
	"debug/elf"
	"fmt"
	"io"
)

// defines returns the first of the symbols that the symbol table defines, or "". It compares places in the
// string table, and reads no names: a hostile table could have a million of a million bytes each.
func (img *image) defines(names []string) (string, error) {
	for _, s := range img.Sections {
		if s.Type != elf.SHT_SYMTAB || s.Flags&elf.SHF_COMPRESSED != 0 || int(s.Link) >= len(img.Sections) {
			continue
		}
		places, err := stringPlaces(img.Sections[s.Link], names)
		if err != nil {
			return "", err
		}
		if len(places) == 0 {
			continue
		}
		if at, err := img.definedAt(s, places); err != nil || at != "" {
			return at, err
		}
	}
	return "", nil
}

// stringPlaces are the offsets in a string table at which the names stand.
func stringPlaces(table *elf.Section, names []string) (map[uint32]string, error) {
	places := map[uint32]string{}
	if table.Type != elf.SHT_STRTAB || table.Flags&elf.SHF_COMPRESSED != 0 {
		return places, nil
	}
	var patterns []string
	for _, name := range names {
		patterns = append(patterns, "\x00"+name+"\x00")
	}
	err := scan(table.Open(), patterns, 0, func(m match) { places[uint32(m.off+1)] = names[m.pattern] })
	if err != nil {
		return nil, fmt.Errorf("section %q: %w", table.Name, err)
	}
	return places, nil
}

// definedAt reads st_name and st_shndx of each symbol (gABI "Symbol Table").
func (img *image) definedAt(symtab *elf.Section, places map[uint32]string) (string, error) {
	entry, index := make([]byte, elf.Sym64Size), 6
	if img.Class == elf.ELFCLASS32 {
		entry, index = make([]byte, elf.Sym32Size), 14
	}
	r := bufio.NewReaderSize(symtab.Open(), 64<<10)
	for {
		_, err := io.ReadFull(r, entry)
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			return "", nil
		}
		if err != nil {
			return "", fmt.Errorf("section %q: %w", symtab.Name, err)
		}
		name, ok := places[img.ByteOrder.Uint32(entry)]
		if ok && elf.SectionIndex(img.ByteOrder.Uint16(entry[index:])) != elf.SHN_UNDEF {
			return name, nil
		}
	}
}
