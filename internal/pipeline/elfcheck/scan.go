package elfcheck

import (
	"bytes"
	"debug/elf"
	"errors"
	"fmt"
	"io"
)

const (
	scanChunk = 256 << 10 // bytes read at a time
	// maxUnpacked bounds what the compressed sections may unpack to together, in bytes; zlib packs
	// zeros a thousandfold, so a small file could keep us busy for hours.
	maxUnpacked = 1 << 30
)

// scan finds the first offset of each pattern in a stream, also where one lies across two chunks.
func scan(r io.Reader, patterns []string) (map[string]int64, error) {
	longest := 0
	for _, p := range patterns {
		if p == "" {
			return nil, errors.New("an empty string is searched for: it would stand in every file")
		}
		longest = max(longest, len(p))
	}
	hits := map[string]int64{}
	buf := make([]byte, scanChunk+longest)
	for base, kept := int64(0), 0; ; {
		n, err := io.ReadFull(r, buf[kept:])
		window := buf[:kept+n]
		for _, p := range patterns {
			if _, found := hits[p]; found {
				continue
			}
			if i := bytes.Index(window, []byte(p)); i >= 0 {
				hits[p] = base + int64(i)
			}
		}
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			return hits, nil
		}
		if err != nil {
			return nil, err
		}
		kept = longest - 1
		copy(buf, window[len(window)-kept:])
		base += int64(len(window) - kept)
	}
}

// forbidden looks for strings in each byte of the file, and in the debug sections that linkers
// compress: the path is no less there for being packed.
func forbidden(r io.ReaderAt, size int64, patterns []string) (findings []Finding, err error) {
	if len(patterns) == 0 {
		return nil, nil
	}
	defer func() { // as in InspectReader
		if p := recover(); p != nil {
			findings, err = nil, fmt.Errorf("malformed ELF file: %v", p)
		}
	}()
	hits, err := scan(io.NewSectionReader(r, 0, size), patterns)
	if err != nil {
		return nil, err
	}
	packed, err := forbiddenPacked(io.NewSectionReader(r, 0, size), patterns, maxUnpacked)
	if err != nil {
		return nil, err
	}
	return append(hostPaths(hits, patterns, "of the file"), packed...), nil
}

// forbiddenPacked looks into compressed sections, which together may unpack to less than budget bytes.
// What cannot be unpacked is an error: nobody can say what is in it.
func forbiddenPacked(r io.ReaderAt, patterns []string, budget int64) (findings []Finding, err error) {
	file, err := elf.NewFile(r)
	if err != nil {
		return nil, err
	}
	for _, s := range file.Sections {
		if s.Flags&elf.SHF_COMPRESSED == 0 || s.Type == elf.SHT_NOBITS {
			continue
		}
		unpacked := &io.LimitedReader{R: s.Open(), N: budget}
		hits, err := scan(unpacked, patterns)
		if err != nil {
			return nil, fmt.Errorf("section %q: %w", s.Name, err)
		}
		if budget = unpacked.N; budget <= 0 {
			return nil, fmt.Errorf("section %q unpacks to too much to search", s.Name)
		}
		findings = append(findings, hostPaths(hits, patterns, "of the unpacked section "+s.Name)...)
	}
	return findings, nil
}

func hostPaths(hits map[string]int64, patterns []string, where string) (findings []Finding) {
	for _, p := range patterns {
		if off, ok := hits[p]; ok {
			findings = append(findings, Finding{"host-path", fmt.Sprintf(
				"%q stands at byte %d %s: a path of the building machine leaked; build with -trimpath and -ffile-prefix-map", p, off, where)})
		}
	}
	return findings
}
