package pipeline

import (
	"regexp"

	"github.com/tcapflow/tcapflow/pipeline/internal/fault"
	"github.com/tcapflow/tcapflow/spec"
)

// usable is what a program can be called in all that is made of it: deb-control(5) has lower
// case letters, digits, plus, minus and full stops, two characters at least, and begins with
// a letter or digit; an image's name has no plus sign, and ends as it begins.
var usable = regexp.MustCompile(`^[a-z0-9]+([.-][a-z0-9]+)*$`)

// sound looks at the words of a project, before anything is made under them.
func sound(p spec.Project) error {
	const next = "mend the project's value in build/"
	if len(p.Name) < 2 || !usable.MatchString(p.Name) {
		return fault.New(fault.Usage, "take lower-case letters, digits, and single hyphens or full stops between them",
			"%q cannot be the name of a binary, a Debian package and an image at once", p.Name)
	}
	for _, l := range p.Libraries {
		if !usable.MatchString(l.Name) {
			return fault.New(fault.Usage, next, "library %q: its name is that of a folder: lower-case letters, "+
				"digits, and single hyphens or full stops between them", l.Name)
		}
	}
	for _, wanted := range p.Extras() {
		if !hasSet(p.Debian.Extras, wanted) {
			return fault.New(fault.Usage, next, "a library needs the tool %q, which is none of spec.Debian.Extras", wanted)
		}
	}
	return nil
}

func hasSet(sets []spec.PackageSet, name string) bool {
	for _, set := range sets {
		if set.Name == name {
			return true
		}
	}
	return false
}

// linkable tells whether each library can be had for all of the targets.
func linkable(p spec.Project, targets []spec.Target) error {
	for _, l := range p.Linked() {
		for _, t := range targets {
			if reason, ok := l.LeftOut[t.Name]; ok {
				return fault.New(fault.Usage, "name the others with -targets, or leave it out of the project's Targets",
					"%s cannot be built for %s: %s", l.Name, t.Name, reason)
			}
		}
	}
	return nil
}
