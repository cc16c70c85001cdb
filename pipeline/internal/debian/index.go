package debian

import (
	"fmt"
	"io"
	"strconv"
	"strings"
)

// Package is a binary package as a lock and a Packages index name it.
type Package struct {
	Name     string `json:"name"`
	Version  string `json:"version"`
	Arch     string `json:"arch"` // Debian's name: amd64, armhf, all
	Filename string `json:"filename"`
	Size     int64  `json:"size"` // bytes of the .deb
	SHA256   string `json:"sha256"`
	Archive  string `json:"archive,omitempty"` // that it is in: Security; none: the mirror's own

	depends   []string // alternatives of each relation still joined with "|"
	provides  []string
	essential bool
	priority  string
}

// Index holds the packages of one architecture by name.
type Index struct {
	packages map[string]Package
	provided map[string][]string // virtual package → who provides it, in the index's order
}

// ParseIndex reads an uncompressed Packages file.
func ParseIndex(r io.Reader) (*Index, error) {
	ix := &Index{packages: map[string]Package{}, provided: map[string][]string{}}
	err := stanzas(r, func(f map[string]string) error {
		size, err := strconv.ParseInt(f["Size"], 10, 64)
		if err != nil || size < 0 || f["Package"] == "" || f["Filename"] == "" || len(f["SHA256"]) != 64 {
			return fmt.Errorf("package %q: a field is missing or wrong", f["Package"])
		}
		p := Package{
			Name: f["Package"], Version: f["Version"], Arch: f["Architecture"],
			Filename: f["Filename"], Size: size, SHA256: f["SHA256"],
			depends:   append(relations(f["Pre-Depends"]), relations(f["Depends"])...),
			provides:  relations(f["Provides"]),
			essential: f["Essential"] == "yes", priority: f["Priority"],
		}
		ix.packages[p.Name] = p
		ix.provide(p)
		return nil
	})
	return ix, err
}

// provide notes which virtual packages a package provides.
func (ix *Index) provide(p Package) {
	for _, virtual := range p.provides {
		name := relationName(virtual)
		ix.provided[name] = append(ix.provided[name], p.Name)
	}
}

// relations splits a relationship field (Debian Policy §7.1) at its commas.
func relations(field string) []string {
	var out []string
	for relation := range strings.SplitSeq(field, ",") {
		if relation = strings.TrimSpace(relation); relation != "" {
			out = append(out, relation)
		}
	}
	return out
}

// relationName cuts version, architecture qualifier and restrictions off: "libc6:any (>= 2.38)" → libc6.
func relationName(relation string) string {
	name := strings.TrimSpace(relation)
	if i := strings.IndexAny(name, " ([:"); i >= 0 {
		name = name[:i]
	}
	return name
}

// find returns the package of that name, or the first that provides it.
func (ix *Index) find(name string) (Package, bool) {
	if p, ok := ix.packages[name]; ok {
		return p, true
	}
	for _, provider := range ix.provided[name] {
		return ix.packages[provider], true
	}
	return Package{}, false
}
