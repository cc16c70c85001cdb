package alpine

import (
	"bufio"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
)

const (
	maxLine    = 1 << 20 // bytes of an index's line; the longest in Alpine 3.17 has 8 KB
	maxPackage = 1 << 28 // bytes of a package file; GCC has 40 MB
)

// Names and versions become parts of URLs and of file names, so nothing else may pass
// (apk-package(5), PACKAGE NAMES AND VERSIONS).
var (
	packageName = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9._+-]*$`)
	packagePath = regexp.MustCompile(`^[a-z0-9]+/[a-z0-9_]+/[a-zA-Z0-9][a-zA-Z0-9._+~-]*\.apk$`)
)

// Package is a package as a lock and an index name it.
type Package struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	Arch    string `json:"arch"` // Alpine's name: x86_64, armv7, noarch
	Path    string `json:"path"` // below the branch: main/x86_64/musl-1.2.6-r0.apk
	Size    int64  `json:"size"` // bytes of the file
	SHA256  string `json:"sha256"`

	checksum string // the index's: Q1 and the base64 of the control part's SHA-1; Q2: SHA-256
	depends  []relation
	provides []relation
	priority int // among providers of a name without a version; -1: not taken on its own
	order    int // of its repository
}

// Index holds the packages of one architecture, of all repositories.
type Index struct {
	providers map[string][]provider
}

// provider is a package under its own name or under one that it provides.
type provider struct {
	*Package
	version string // of that name; "": none
	own     bool
}

// add reads the text of an APKINDEX (apk-package(5)): a letter, a colon and a value a line,
// an empty line after each package. place is the folder of its packages, main/x86_64; what
// is in an earlier repository goes before what is in a later one.
func (ix *Index) add(text io.Reader, place string, order int) error {
	if ix.providers == nil {
		ix.providers = map[string][]provider{}
	}
	lines := bufio.NewScanner(text)
	lines.Buffer(make([]byte, 64<<10), maxLine)
	fields := map[byte]string{}
	flush := func() error {
		if len(fields) == 0 {
			return nil
		}
		p, err := newPackage(fields, place)
		if err != nil {
			return err
		}
		p.order = order
		ix.put(p)
		clear(fields)
		return nil
	}
	for lines.Scan() {
		line := lines.Text()
		if line == "" {
			if err := flush(); err != nil {
				return err
			}
			continue
		}
		if len(line) < 2 || line[1] != ':' {
			return fmt.Errorf("no field in line %.40q", line)
		}
		fields[line[0]] = line[2:]
	}
	if err := lines.Err(); err != nil {
		return err
	}
	return flush()
}

// newPackage reads the fields that a lock and the choice of packages need.
func newPackage(fields map[byte]string, place string) (*Package, error) {
	p := &Package{Name: fields['P'], Version: fields['V'], Arch: fields['A'],
		checksum: fields['C'], priority: -1}
	p.Path = place + "/" + p.Name + "-" + p.Version + ".apk"
	var err error
	p.Size, err = strconv.ParseInt(fields['S'], 10, 64)
	if err != nil || p.Size <= 0 || p.Size > maxPackage || len(p.checksum) < 3 ||
		!packageName.MatchString(p.Name) || !packagePath.MatchString(p.Path) {
		return nil, fmt.Errorf("package %.80q: a field is missing or wrong", p.Name)
	}
	if text, ok := fields['k']; ok {
		if p.priority, err = strconv.Atoi(text); err != nil {
			return nil, fmt.Errorf("package %s: its priority is %.40q", p.Name, text)
		}
	}
	for word := range strings.FieldsSeq(fields['D']) {
		p.depends = append(p.depends, parseRelation(word))
	}
	for word := range strings.FieldsSeq(fields['p']) {
		p.provides = append(p.provides, parseRelation(word))
	}
	return p, nil
}

func (ix *Index) put(p *Package) {
	ix.providers[p.Name] = append(ix.providers[p.Name], provider{p, p.Version, true})
	for _, r := range p.provides {
		if r.name != p.Name {
			ix.providers[r.name] = append(ix.providers[r.name], provider{p, r.version, false})
		}
	}
}
