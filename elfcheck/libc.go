package elfcheck

import (
	"fmt"
	"io"
	"strings"
)

// muslMark is musl's strerror(0); glibc says "Success" (musl src/errno/__strerror.h).
const muslMark = "No error information"

// glibcMarks are strings that stay in a stripped program that glibc was linked into, each of another part
// of it. An empty static program of glibc 2.36 has all of them.
//
// "/etc/nsswitch.conf" is not among them: Go's own resolver (package net) holds it as well.
var glibcMarks = []string{
	"GLIBC_TUNABLES",       // elf/dl-tunables.c: in every static program since 2.26
	"glibc-ld.so.cache1.1", // elf/dl-cache.c: this program can dlopen
	"__libc_early_init",    // elf/dl-call-libc-early-init.c: what dlopen calls in the libc.so it loads
	"gconv-modules",        // iconv/gconv_conf.c: this program loads character sets
}

// enoughMarks is how many of glibcMarks prove something. One is a C library's getenv of the same name.
const enoughMarks = 2

// glibcSymbols are defined by every static program of glibc, and by none of musl.
var glibcSymbols = []string{
	"_IO_stdin_used",          // csu/init.c, in crt1.o
	"__libc_setup_tls",        // csu/libc-tls.c
	"_dl_relocate_static_pie", // elf/dl-reloc-static-pie.c
}

// libcFacts tells which C library the program holds. Evidence is what only code brings along, strongest
// first: the note that glibc's start file writes, symbols, and, where both are stripped, several of its
// strings. A string counts as C compilers store it, between two zeros: a Go program that speaks of
// GLIBC_TUNABLES stores it without. Strings prove nothing against musl's own, or where no C was compiled:
// they then belong to a file that is embedded.
func (img *image) libcFacts(r io.ReaderAt, f *Facts) error {
	if err := img.noteFacts(f); err != nil || f.Libc != "" {
		return err
	}
	symbol, err := img.defines(glibcSymbols)
	if err != nil {
		return err
	}
	if symbol != "" {
		f.Libc, f.LibcEvidence = "glibc", fmt.Sprintf("symbol %q", symbol)
		return nil
	}
	return img.libcStrings(r, f)
}

func (img *image) libcStrings(r io.ReaderAt, f *Facts) error {
	patterns := []string{muslMark + "\x00"}
	for _, mark := range glibcMarks {
		patterns = append(patterns, "\x00"+mark+"\x00")
	}
	first := map[int]int64{}
	err := scan(io.NewSectionReader(r, 0, f.Size), patterns, 0, func(m match) {
		if _, seen := first[m.pattern]; !seen {
			first[m.pattern] = m.off
		}
	})
	if err != nil {
		return err
	}
	if _, musl := first[0]; musl {
		f.Libc, f.LibcEvidence = "musl", fmt.Sprintf("string %q", muslMark)
		return nil
	}
	var found []string
	for i, mark := range glibcMarks {
		if off, ok := first[i+1]; ok {
			found = append(found, fmt.Sprintf("%q at byte %d of %s", mark, off+1, img.place(off+1).name))
		}
	}
	if len(found) >= enoughMarks && !f.noCgo() {
		f.Libc, f.LibcEvidence = "glibc", "strings "+strings.Join(found[:enoughMarks], ", ")
	}
	return nil
}

// noCgo tells that the go command compiled and linked it, and no C.
func (f Facts) noCgo() bool { return f.Go != nil && f.Go.Settings["CGO_ENABLED"] == "0" }
