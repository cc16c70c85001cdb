package alpine

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/tcapflow/tcapflow/spec"
)

// Resolve returns the packages of a set and what they depend on, sorted by name. Names are
// those of packages, and what packages provide: so:libz.so.1, cmd:clang, pc:zlib. What
// apk-package(5) calls install-if is not followed: it brings documentation and the like.
func (ix *Index) Resolve(set spec.PackageSet) ([]Package, error) {
	c := &choice{index: ix, set: set, chosen: map[string]*Package{}}
	for _, word := range set.Packages {
		c.add(parseRelation(word), "the list")
	}
	c.checkConflicts()
	if c.problems != nil {
		slices.Sort(c.problems)
		return nil, fmt.Errorf("no such set in the index: %s", strings.Join(slices.Compact(c.problems), "; "))
	}
	out := make([]Package, 0, len(c.chosen))
	for _, name := range slices.Sorted(maps.Keys(c.chosen)) {
		out = append(out, *c.chosen[name])
	}
	return out, nil
}

// choice is one call of Resolve.
type choice struct {
	index    *Index
	set      spec.PackageSet
	chosen   map[string]*Package // by name
	problems []string
}

// add chooses a package for a relation, and what that needs.
func (c *choice) add(r relation, by string) {
	if r.conflict || c.set.Skip[r.name] != "" {
		return
	}
	p, err := c.pick(r)
	if err != nil {
		c.problems = append(c.problems, fmt.Sprintf("%s, wanted by %s: %v", r, by, err))
		return
	}
	if c.set.Skip[p.Name] != "" || c.chosen[p.Name] != nil {
		return
	}
	c.chosen[p.Name] = p
	if c.set.NoDepends {
		return
	}
	for _, d := range p.depends {
		c.add(d, p.Name)
	}
}

// pick finds who fits a relation: what is chosen already, else the package of that name,
// else who provides it in the newest version, with the highest priority, in the first
// repository. Who provides a name without a version is taken only where it has a priority
// (apk-package(5), provides).
func (c *choice) pick(r relation) (*Package, error) {
	var fitting []provider
	var manual []string
	for _, p := range c.index.providers[r.name] {
		switch {
		case !r.fits(p.version):
		case c.chosen[p.Name] == p.Package:
			return p.Package, nil
		case p.version == "" && p.priority < 0 && c.set.Skip[p.Name] == "":
			manual = append(manual, p.Name)
		default:
			fitting = append(fitting, p)
		}
	}
	if len(fitting) > 0 {
		return slices.MinFunc(fitting, better).Package, nil
	}
	if manual != nil {
		return nil, fmt.Errorf("name one of these in the list: %s", strings.Join(manual, ", "))
	}
	if len(c.index.providers[r.name]) > 0 {
		return nil, fmt.Errorf("there are other versions only")
	}
	return nil, fmt.Errorf("nothing provides it")
}

// better orders providers: the one to take is the least.
func better(a, b provider) int {
	rank := func(own bool) int {
		if own {
			return 0
		}
		return 1
	}
	return cmp.Or(
		cmp.Compare(rank(a.own), rank(b.own)),
		compareVersions(b.version, a.version),
		cmp.Compare(b.priority, a.priority),
		cmp.Compare(a.order, b.order),
		strings.Compare(a.Name, b.Name),
	)
}

// checkConflicts finds chosen packages that do not bear each other.
func (c *choice) checkConflicts() {
	for name, p := range c.chosen {
		for _, r := range p.depends {
			if !r.conflict {
				continue
			}
			for _, other := range c.index.providers[r.name] {
				if c.chosen[other.Name] == other.Package && other.Name != name && r.fits(other.version) {
					c.problems = append(c.problems, fmt.Sprintf("%s does not go with %s", name, other.Name))
				}
			}
		}
	}
}

func (r relation) String() string {
	if r.conflict {
		return "!" + r.name + r.operator + r.version
	}
	return r.name + r.operator + r.version
}
