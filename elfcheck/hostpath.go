package elfcheck

import (
	"bytes"
	"errors"
	"path"
	"slices"
	"strings"
)

// hostPath is a path of the building machine, and where it was found.
//
// What is evidence? A path of two names or more (/home/maria, /builds/client) is peculiar to a machine:
// wherever it stands, it came from there, unless a longer name goes on (/home/maria2). A path of one name
// (/root, /src, /tmp) is on most machines, and in texts that mean others: passwd lines, help, URLs,
// /root/.ssh. It counts where compilers write paths, which is in debug information and Go's table of files,
// and elsewhere where the whole looks like something that is compiled: a source file (/root/x/main.c), or a
// folder that only builds use (/root/go/pkg/mod). The folder / is nobody's.
type hostPath struct {
	text  string // without a slash at its end
	short bool   // of one name only
	// A compiler's tables and text that was put there are two faults, with two remedies.
	tables, texts leak
}

// leak is where a path stands.
type leak struct {
	places  int
	where   place // the first one
	off     int64 // of the first one, in bytes
	excerpt string
}

func (l *leak) add(where place, m match, length int) {
	if l.places++; l.places == 1 {
		l.where, l.off, l.excerpt = where, m.off, excerpt(m, length)
	}
}

// newHostPaths sorts out what to look for: Windows' paths are written with both slashes.
func newHostPaths(forbidden []string) ([]*hostPath, error) {
	var paths []*hostPath
	for _, p := range forbidden {
		if p == "" {
			return nil, errors.New("an empty path is forbidden: a variable is unset")
		}
		for _, text := range slices.Compact([]string{p, strings.ReplaceAll(p, `\`, "/")}) {
			text = strings.TrimRight(text, `/\`)
			same := func(h *hostPath) bool { return h.text == text }
			if text != "" && !slices.ContainsFunc(paths, same) {
				paths = append(paths, &hostPath{text: text, short: strings.LastIndex(text, "/") == 0})
			}
		}
	}
	return paths, nil
}

// evidence tells whether a match is a path of the building machine. See [hostPath].
func (h *hostPath) evidence(m match, where place) bool {
	rest := m.after(len(h.text), shown)
	if len(rest) > 0 && isName(rest[0]) {
		return false
	}
	if !h.short {
		return true
	}
	if b := m.before(1); len(b) > 0 && (isName(b[0]) || b[0] == '/' || b[0] == '.') {
		return false
	}
	return where.paths || isCompiled(rest)
}

// goesOn tells whether a match of h is that of another path, which is longer: the home of a checkout.
func (h *hostPath) goesOn(other *hostPath, m match, where place) bool {
	return len(other.text) > len(h.text) && bytes.HasPrefix(m.window[m.at:], []byte(other.text)) &&
		other.evidence(m, where)
}

// isName tells whether a byte goes on with a file's name. A dot does not: it ends sentences, too.
func isName(b byte) bool {
	letter := b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= 0x80
	return letter || b >= '0' && b <= '9' || b == '_' || b == '-'
}

var (
	sourceEndings = []string{
		".go", ".c", ".h", ".s", ".S", ".cc", ".cpp", ".cxx", ".hpp", ".inc", ".rs", ".o", ".a",
	}
	buildFolders = []string{"/go/pkg/", "/go/src/", "/.cache/go-build/", "/.cargo/", "/.rustup/"}
)

// isCompiled tells whether what follows a short path makes it that of a source file or a build's folder.
func isCompiled(rest []byte) bool {
	end := slices.IndexFunc(rest, func(b byte) bool {
		return !isName(b) && !strings.ContainsRune("/.+@%~!", rune(b))
	})
	if end < 0 {
		end = len(rest)
	}
	below := string(rest[:end])
	if !strings.HasPrefix(below, "/") {
		return false
	}
	ending := path.Ext(strings.TrimRight(below, "."))
	return slices.Contains(sourceEndings, ending) || slices.ContainsFunc(buildFolders, func(folder string) bool {
		return strings.HasPrefix(below, folder)
	})
}
