package debian

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tcapflow/tcapflow/spec"
)

// Resolve returns the packages of a set and what they depend on, sorted by name.
// Of alternatives ("a | b") the first that is already chosen is taken, else the
// first that exists, as apt does. Versions are not compared: a suite of Debian
// holds one version of a package, and is consistent in itself.
func (ix *Index) Resolve(set spec.PackageSet) ([]Package, error) {
	chosen := map[string]Package{}
	var missing []string
	var add func(relation, by string)
	add = func(relation, by string) {
		name, p, ok := ix.choose(relation, set.Skip, chosen)
		if name == "" {
			return // the set leaves it out, for the reason that stands there
		}
		if !ok {
			missing = append(missing, fmt.Sprintf("%s (wanted by %s)", relation, by))
			return
		}
		if _, done := chosen[p.Name]; done {
			return
		}
		chosen[p.Name] = p
		if set.NoDepends {
			return
		}
		for _, d := range p.depends {
			add(d, p.Name)
		}
	}
	for _, name := range set.Packages {
		add(name, "the list")
	}
	if set.Base {
		for _, p := range ix.base() {
			add(p, "the base system")
		}
	}
	if missing != nil {
		slices.Sort(missing)
		return nil, fmt.Errorf("not in the index: %s", strings.Join(missing, ", "))
	}
	out := make([]Package, 0, len(chosen))
	for _, p := range chosen {
		out = append(out, p)
	}
	slices.SortFunc(out, func(a, b Package) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}

// choose picks one of a relation's alternatives. The name is empty when the set skips
// the one that would be taken.
func (ix *Index) choose(
	relation string, skip map[string]string, chosen map[string]Package,
) (string, Package, bool) {
	var first Package
	found := false
	for alternative := range strings.SplitSeq(relation, "|") {
		name := relationName(alternative)
		p, ok := ix.find(name)
		_, skipped := skip[name]
		if _, provider := skip[p.Name]; skipped || (ok && provider) {
			if !found {
				return "", Package{}, false
			}
			continue
		}
		if !ok {
			continue
		}
		if _, done := chosen[p.Name]; done {
			return name, p, true
		}
		if !found {
			first, found = p, true
		}
	}
	return relation, first, found
}

// base names the packages that every Debian system has: Essential, and those of
// priority "required" (Debian Policy §2.5).
func (ix *Index) base() []string {
	var names []string
	for name, p := range ix.packages {
		if p.essential || p.priority == "required" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}
