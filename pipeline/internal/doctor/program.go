package doctor

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/tcapflow/tcapflow/elfcheck"
)

// Program is a file that is to run.
type Program struct {
	name  string // as the user says it
	real  string // where its links lead
	entry entry
	facts elfcheck.Facts
	needs elfcheck.Needs
	kind  error  // why it is no ELF program
	line  string // what follows "#!" in a script
	head  []byte
	local bool // it lies on this machine
}

// Open reads a program of this machine.
func Open(name string) (Program, error) {
	at, err := filepath.Abs(name)
	if err != nil {
		return Program{}, err
	}
	p, err := newProgram(host{}, filepath.ToSlash(at))
	p.name, p.local = name, true
	return p, err
}

// calls are Go functions and C symbols that tell what a program does.
var calls = []string{
	"crypto/x509.loadSystemRoots", "golang.org/x/crypto/x509roots/fallback.init.0",
	"time.LoadLocation", "time/tzdata.loadFromEmbeddedTZData",
	"os/user.lookupUser", "os/user.lookupUserId", "os/user.lookupUnixUid",
	"net.(*Resolver).LookupHost", "getaddrinfo", "gethostbyname", "getpwnam", "getpwnam_r", "getpwuid",
	"getpwuid_r",
	"pcap_open_live", "pcap_activate", "github.com/mdlayher/packet.Listen",
	"github.com/gopacket/gopacket/afpacket.NewTPacket",
	"github.com/gopacket/gopacket/pcap.(*InactiveHandle).Activate",
	"github.com/google/gopacket/pcap.(*InactiveHandle).Activate",
}

// newProgram reads a program within a root. That it is no ELF program is no error.
func newProgram(r root, name string) (Program, error) {
	return read(r, name, func(p *Program, at io.ReaderAt) (err error) {
		if p.facts, p.kind = elfcheck.InspectReader(at, p.entry.size); p.kind == nil {
			p.needs, err = elfcheck.InspectNeeds(at, p.entry.size, calls...)
		}
		return err
	})
}

// newLibrary reads of a library what a dynamic linker does.
func newLibrary(r root, name string) (Program, error) {
	return read(r, name, func(p *Program, at io.ReaderAt) error {
		p.facts, p.needs, p.kind = elfcheck.InspectLinks(at, p.entry.size)
		return nil
	})
}

func read(r root, name string, inspect func(*Program, io.ReaderAt) error) (p Program, err error) {
	p.name = name
	if p.real, p.entry, err = resolve(r, name); err != nil {
		return p, err
	}
	if !p.entry.mode.IsRegular() || p.entry.open == nil {
		p.kind = elfcheck.NotProgram("no regular file")
		return p, nil
	}
	at, closer, err := p.entry.open()
	if err != nil {
		return p, err
	}
	defer closer.Close()
	p.head = make([]byte, min(p.entry.size, 512))
	if n, err := at.ReadAt(p.head, 0); n < len(p.head) {
		return p, fmt.Errorf("%s: %w", name, err)
	}
	if line, ok := bytes.CutPrefix(p.head, []byte("#!")); ok {
		line, _, _ = bytes.Cut(line, []byte("\n"))
		p.line = string(line)
	}
	return p, inspect(&p, at)
}

func (p Program) goarch() string { return goarchOf(p.facts) }

// dynamic tells whether it needs a loader or libraries.
func (p Program) dynamic() bool { return p.facts.Interp != "" || len(p.facts.Needed) > 0 }

// isGo tells a Go program; setting is one of its build settings.
func (p Program) isGo() bool { return p.facts.Go != nil }

func (p Program) setting(key string) string {
	if p.facts.Go == nil {
		return ""
	}
	return p.facts.Go.Settings[key]
}

func (p Program) callsAny(names ...string) bool {
	return slices.ContainsFunc(names, func(n string) bool {
		return slices.Contains(p.needs.Calls, n) || slices.Contains(p.needs.Imports, n)
	})
}

// libcOf is the C library that a dynamic program was linked for, by its loader and libraries.
func (p Program) libcOf() string {
	words := append([]string{path.Base(p.facts.Interp)}, p.facts.Needed...)
	for _, w := range words {
		switch {
		case strings.HasPrefix(w, "ld-musl-"), strings.HasPrefix(w, "libc.musl-"):
			return "musl"
		case strings.HasPrefix(w, "ld-linux"), strings.HasPrefix(w, "ld64.so"), w == "ld.so.1",
			w == "libc.so.6":
			return "glibc"
		}
	}
	return ""
}

// library is a shared library that was found, or not.
type library struct {
	name string  // as DT_NEEDED has it
	by   string  // who needs it
	at   Program // as it was found
	err  error   // why it was not
}

// maxLibraries bounds the libraries of a program.
const maxLibraries = 1000

// libraries finds what a program needs, and what that needs, in the order of a dynamic linker.
func (t There) libraries(p Program) (all []library) {
	search := t.searchPath(p.goarch())
	done := map[string]bool{path.Base(p.facts.Interp): true}
	queue := []Program{p}
	for len(queue) > 0 && len(all) < maxLibraries {
		by := queue[0]
		queue = queue[1:]
		for _, name := range by.facts.Needed {
			if done[name] {
				continue
			}
			done[name] = true
			l := library{name: name, by: by.name}
			l.at, l.err = t.find(name, append(p.ownFolders(), append(by.ownFolders(), search...)...), p)
			all = append(all, l)
			if l.err == nil {
				queue = append(queue, l.at)
			}
		}
	}
	return all
}

// ownFolders are those of DT_RPATH and DT_RUNPATH.
func (p Program) ownFolders() (folders []string) {
	for _, list := range append(slices.Clone(p.facts.Rpath), p.facts.Runpath...) {
		for _, dir := range strings.Split(list, ":") {
			dir = strings.NewReplacer("${ORIGIN}", "$ORIGIN", "$LIB", "lib64", "${LIB}", "lib64").Replace(dir)
			folders = append(folders, strings.ReplaceAll(dir, "$ORIGIN", path.Dir(p.real)))
		}
	}
	return folders
}

var errWrongMachine = errors.New("what is there is for another machine")

// find looks a library up in folders. One for another machine is passed over, as ld.so(8) does.
func (t There) find(name string, folders []string, p Program) (Program, error) {
	if strings.Contains(name, "/") {
		return newLibrary(t.root, name)
	}
	var wrong, gone error
	for _, dir := range folders {
		at := path.Join("/", dir, name)
		if _, ok := t.root.entry(at); !ok && !there(t.root, at) {
			continue
		}
		found, err := newLibrary(t.root, at)
		switch {
		case err != nil:
			gone = err // a link that leads nowhere
		case found.kind != nil || found.goarch() != p.goarch():
			wrong = errWrongMachine
		default:
			return found, nil
		}
	}
	return Program{}, errors.Join(gone, wrong, missing{path: name})
}

// searchPath are the folders of the place: LD_LIBRARY_PATH, the linker's settings, its defaults.
func (t There) searchPath(arch string) (folders []string) {
	for _, v := range t.env {
		if value, ok := strings.CutPrefix(v, "LD_LIBRARY_PATH="); ok {
			folders = append(folders, strings.Split(value, ":")...)
		}
	}
	folders = append(folders, t.configured("/etc/ld.so.conf", 0)...)
	for _, name := range t.root.list("/etc") {
		if strings.HasPrefix(name, "ld-musl-") && strings.HasSuffix(name, ".path") {
			folders = append(folders, strings.FieldsFunc(text(t.root, "/etc/"+name),
				func(r rune) bool { return r == ':' || r == '\n' })...)
		}
	}
	if t.libc == "musl" {
		folders = append(folders, "/usr/local/lib") // musl ldso/dynlink.c: /lib:/usr/local/lib:/usr/lib
	}
	folders = append(folders, multiarch(arch)...)
	return append(folders, defaultFolders...)
}

// configured reads ld.so.conf, whose include lines have patterns.
func (t There) configured(file string, depth int) (folders []string) {
	for line := range strings.Lines(text(t.root, file)) {
		line, _, _ = strings.Cut(line, "#")
		line = strings.TrimSpace(line)
		pattern, include := strings.CutPrefix(line, "include ")
		switch {
		case line == "":
		case !include:
			folders = append(folders, line)
		case depth < 4:
			pattern = path.Join(path.Dir(file), strings.TrimSpace(pattern))
			if path.IsAbs(strings.TrimSpace(strings.TrimPrefix(line, "include"))) {
				pattern = strings.TrimSpace(strings.TrimPrefix(line, "include"))
			}
			for _, name := range t.root.list(path.Dir(pattern)) {
				if ok, _ := path.Match(path.Base(pattern), name); ok {
					folders = append(folders, t.configured(path.Join(path.Dir(pattern), name), depth+1)...)
				}
			}
		}
	}
	return folders
}
