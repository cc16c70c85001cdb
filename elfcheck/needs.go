package elfcheck

import (
	"bytes"
	"debug/elf"
	"errors"
	"io"
	"maps"
	"slices"
	"strings"
)

// Needs are what a program or library asks of the machine that it runs on, beyond [Facts]. Unlike these they
// are read from sections, too: they explain why a file does not run, and decide nothing.
type Needs struct {
	Soname    string              // DT_SONAME
	Versions  map[string][]string // versions of symbols that it wants, by library: libc.so.6 → GLIBC_2.34
	Provides  []string            // versions of symbols that it defines: GLIBC_2.2.5, … of a libc.so.6
	StaticTLS bool                // DF_STATIC_TLS: it cannot be loaded when the program already runs, not by musl
	Imports   []string            // names of dynamic symbols that others must define, sorted; not the weak ones
	Exports   []string            // names of dynamic symbols that it defines, sorted
	Cgo       []string            // Go packages that call C, sorted
	Calls     []string            // those of the Go functions and symbols that were asked for which it holds
}

// maxSymbols bounds the symbols that are kept; glibc's libc.so.6 has three thousand.
const maxSymbols = 1 << 18

// InspectNeeds reads what an ELF file of size bytes asks for. calls are names to look for, as they stand in
// tables of Go's functions and in symbol tables: "time.LoadLocation", "pcap_open_live". What is not there,
// because it was stripped or never was, is not told.
func InspectNeeds(r io.ReaderAt, size int64, calls ...string) (n Needs, err error) {
	defer recovered(&err, func() { n = Needs{} })
	r = io.NewSectionReader(r, 0, size)
	img, err := newImage(r, size)
	if err != nil {
		return Needs{}, err
	}
	if err := img.linkNeeds(&n); err != nil {
		return Needs{}, err
	}
	if n.Cgo, n.Calls, err = namesIn(io.NewSectionReader(r, 0, size), calls); err != nil {
		return Needs{}, err
	}
	return n, nil
}

// InspectLinks reads of an ELF file what a dynamic linker goes by, and nothing that takes a look at all its bytes.
// Of the facts it gives machine, names and folders of libraries, and the loader.
func InspectLinks(r io.ReaderAt, size int64) (f Facts, n Needs, err error) {
	defer recovered(&err, func() { f, n = Facts{}, Needs{} })
	img, err := newImage(io.NewSectionReader(r, 0, size), size)
	if err != nil {
		return Facts{}, Needs{}, err
	}
	table, err := img.dynamic()
	if err == nil {
		err = img.linkNeeds(&n)
	}
	if err != nil {
		return Facts{}, Needs{}, err
	}
	f = Facts{Size: size, Class: img.Class.String(), Machine: img.Machine.String(),
		ByteOrder: img.Data.String(), Type: img.Type.String(), Dynamic: table != nil}
	f.Needed = img.names(table, elf.DT_NEEDED, elf.DT_AUXILIARY, elf.DT_FILTER)
	f.Rpath, f.Runpath = img.names(table, elf.DT_RPATH), img.names(table, elf.DT_RUNPATH)
	return f, n, nil
}

// linkNeeds reads what a dynamic linker would.
func (img *image) linkNeeds(n *Needs) error {
	table, err := img.dynamic()
	if err != nil {
		return err
	}
	if names := img.names(table, elf.DT_SONAME); len(names) > 0 {
		n.Soname = names[0]
	}
	for _, d := range table {
		if d.tag == elf.DT_FLAGS && elf.DynFlag(d.val)&elf.DF_STATIC_TLS != 0 {
			n.StaticTLS = true
		}
	}
	n.Versions = map[string][]string{}
	wanted, _ := img.DynamicVersionNeeds() // an error: it has none, or no sections
	for _, of := range wanted {
		for _, v := range of.Needs {
			n.Versions[of.Name] = append(n.Versions[of.Name], v.Dep)
		}
	}
	defined, _ := img.DynamicVersions()
	for _, v := range defined {
		n.Provides = append(n.Provides, v.Name)
	}
	symbols, err := img.DynamicSymbols()
	if err != nil && !errors.Is(err, elf.ErrNoSymbols) {
		return nil // stripped of sections, or they lie: nothing hangs on it
	}
	for _, s := range symbols {
		weak := elf.ST_BIND(s.Info) == elf.STB_WEAK
		switch {
		case s.Name == "" || len(n.Imports)+len(n.Exports) >= maxSymbols:
		case s.Section != elf.SHN_UNDEF:
			n.Exports = append(n.Exports, s.Name)
		case !weak:
			n.Imports = append(n.Imports, s.Name)
		}
	}
	slices.Sort(n.Imports)
	slices.Sort(n.Exports)
	return nil
}

// cgoMarks stand in the names of the functions by which Go calls C: net._C2func_getaddrinfo.
var cgoMarks = [][]byte{[]byte("._Cfunc_"), []byte("._C2func_"), []byte("._cgoexp_")}

// longestName bounds the names that are looked at, in bytes.
const longestName = 1024

// namesIn looks for names as they stand in tables of names, between two zeros. That of Go's functions is in
// every Go program, also in a stripped one.
func namesIn(r io.Reader, calls []string) (cgo, found []string, err error) {
	asked := map[string]bool{}
	for _, c := range calls {
		asked[c] = true
	}
	packages, called := map[string]bool{}, map[string]bool{}
	err = words(r, func(word []byte) {
		if asked[string(word)] {
			called[string(word)] = true
		}
		for _, mark := range cgoMarks {
			// The linker escapes dots of the last element: gopkg.in/yaml%2ev3.
			if path, _, ok := bytes.Cut(word, mark); ok && isPath(path) {
				packages[strings.ReplaceAll(string(path), "%2e", ".")] = true
			}
		}
	})
	return slices.Sorted(maps.Keys(packages)), slices.Sorted(maps.Keys(called)), err
}

// words tells what stands between zeros, where it is no longer than a name may be.
func words(r io.Reader, tell func([]byte)) error {
	buf := make([]byte, scanChunk)
	kept := 0
	for {
		n, err := io.ReadFull(r, buf[kept:])
		if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
			return err
		}
		rest := buf[:kept+n]
		for {
			end := bytes.IndexByte(rest, 0)
			if end < 0 {
				break
			}
			if end > 0 && end <= longestName {
				tell(rest[:end])
			}
			rest = rest[end+1:]
		}
		if err != nil {
			return nil
		}
		if len(rest) > longestName { // of one that is too long, the end is kept
			rest = rest[len(rest)-longestName-1:]
		}
		kept = copy(buf, rest)
	}
}

// isPath tells an import path from what else stands before a mark by chance.
func isPath(path []byte) bool {
	ok := func(b byte) bool {
		return b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= '0' && b <= '9' ||
			bytes.IndexByte([]byte("/._-~+%"), b) >= 0
	}
	for _, b := range path {
		if !ok(b) {
			return false
		}
	}
	return len(path) > 0
}
