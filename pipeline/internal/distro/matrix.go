package distro

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/tcapflow/tcapflow/pipeline/internal/fault"
	"github.com/tcapflow/tcapflow/spec"
)

// cell is one test: a scenario with a package on a target in a distribution.
type cell struct {
	distro   spec.Distro
	target   spec.Target
	packing  string // image, deb or tar.gz
	scenario spec.Scenario
	foreign  bool   // the engine's kernel does not run it: qemu-user does
	skip     string // why it is not run
}

// name is the cell's path: debian12/amd64/deb/read.
func (c cell) name() string {
	return strings.Join([]string{c.distro.Name, strings.TrimPrefix(c.target.Dir(), "linux_"), c.packing, c.scenario.Name}, "/")
}

// place is what the cells of one container have in common: debian12/amd64.
func (c cell) place() string { return c.distro.Name + "/" + c.target.Name }

// matrix lists the cells of a project's distributions and scenarios, for some targets.
func matrix(project spec.Project, targets []spec.Target) []cell {
	var cells []cell
	for _, d := range project.Distros {
		for _, t := range targets {
			if !slices.Contains(d.Targets, t.Name) {
				continue
			}
			for _, s := range project.Scenarios {
				if s.Packing == "" || s.Packing == packing(d) {
					cells = append(cells, cell{distro: d, target: t, packing: packing(d), scenario: s})
				}
			}
		}
	}
	return cells
}

// on says how the cells are run on an engine whose kernel runs some architectures itself.
func on(natives []string, cells []cell) []cell {
	out := slices.Clone(cells)
	for i, c := range out {
		if !slices.Contains(natives, c.target.GOARCH) {
			out[i].foreign, out[i].skip = true, c.scenario.SkipForeign
		}
	}
	return out
}

// packing is the form in which users of a distribution get the program.
func packing(d spec.Distro) string {
	switch {
	case d.Packed != "":
		return "image"
	case d.Suite != "":
		return "deb"
	}
	return "tar.gz"
}

// selected returns the cells whose path matches a pattern: regular expressions separated
// by slashes, one for each element of the path from the left, not anchored.
func selected(cells []cell, pattern string) ([]cell, error) {
	var elements []*regexp.Regexp
	for text := range strings.SplitSeq(pattern, "/") {
		element, err := regexp.Compile(text)
		if err != nil {
			return nil, fault.New(fault.Usage, "", "pattern %q: %w", pattern, err)
		}
		elements = append(elements, element)
	}
	out := slices.DeleteFunc(slices.Clone(cells), func(c cell) bool {
		path := strings.Split(c.name(), "/")
		for i, element := range elements {
			if i >= len(path) || !element.MatchString(path[i]) {
				return true
			}
		}
		return false
	})
	if len(out) == 0 {
		return nil, fault.New(fault.Usage, "a path is DISTRO/ARCH/PACKAGE/SCENARIO, such as debian12/amd64/deb/version", "no test matches %q", pattern)
	}
	return out, nil
}

// byPlace groups cells that share a container.
func byPlace(cells []cell) [][]cell {
	var out [][]cell
	for _, c := range cells {
		if n := len(out); n > 0 && out[n-1][0].place() == c.place() {
			out[n-1] = append(out[n-1], c)
		} else {
			out = append(out, []cell{c})
		}
	}
	return out
}

// table renders the matrix for people and for the golden file.
func table(cells []cell) string {
	var text strings.Builder
	for _, c := range cells {
		line := c.name()
		if c.foreign {
			line += "  qemu"
		}
		if c.skip != "" {
			line += "  skip: " + c.skip
		}
		fmt.Fprintln(&text, line)
	}
	return text.String()
}
