package main

import (
	"flag"
	"io"
	"slices"
	"strings"
	"testing"
)

// TestCompletionHasAll looks for every command, flag and value of the program in each
// shell's script.
func TestCompletionHasAll(t *testing.T) {
	for _, s := range shells {
		script := s.script(commands())
		for _, c := range commands() {
			if !strings.Contains(script, c.name) {
				t.Errorf("%s: no command %q", s.name, c.name)
			}
			for _, f := range c.completedFlags() {
				name := "-" + f.name
				if s.name == "fish" {
					name = "-o " + f.name
				}
				if !strings.Contains(script, name) || !strings.Contains(script, strings.Join(f.choices, " ")) {
					t.Errorf("%s: %s: no flag -%s with values %q", s.name, c.name, f.name, f.choices)
				}
			}
		}
	}
}

// TestManualHasAllFlags compares the manual of each command with the flags that it has:
// the manual is where the scripts take a flag's value and description from.
func TestManualHasAllFlags(t *testing.T) {
	for _, c := range commands() {
		f := flag.NewFlagSet(c.name, flag.ContinueOnError)
		if c.flags != nil {
			c.flags(f)
		}
		f.VisitAll(func(g *flag.Flag) {
			value, about := manualOf(c.usage, g.Name)
			b, ok := g.Value.(interface{ IsBoolFlag() bool })
			if about == "" || (value == "") != (ok && b.IsBoolFlag()) {
				t.Errorf("%s -%s: the manual has value %q, text %q", c.name, g.Name, value, about)
			}
		})
		for line := range strings.Lines(c.usage) {
			if !strings.HasPrefix(line, "    -") {
				continue
			}
			name, _, _ := strings.Cut(strings.Fields(line)[0][1:], "=")
			if f.Lookup(name) == nil {
				t.Errorf("%s: the manual has -%s, the program does not", c.name, name)
			}
		}
	}
}

// TestChoicesAreTaken gives each value that is offered to its flag.
func TestChoicesAreTaken(t *testing.T) {
	for _, c := range commands() {
		for _, g := range c.completedFlags() {
			for _, v := range g.choices {
				f := flag.NewFlagSet(c.name, flag.ContinueOnError)
				f.SetOutput(io.Discard)
				c.flags(f)
				if err := f.Set(g.name, v); err != nil {
					t.Errorf("%s -%s %s: %v", c.name, g.name, v, err)
				}
			}
		}
	}
}

// TestCommandNames compares the two places that have the names of the commands.
func TestCommandNames(t *testing.T) {
	var names []string
	for _, c := range commands() {
		names = append(names, c.name)
		if !strings.Contains(usage, "\n    tcapflow-client "+c.name) {
			t.Errorf("no %q in the program's manual", c.name)
		}
	}
	if !slices.Equal(names, commandNames()) {
		t.Errorf("the table has %q, commandNames %q", names, commandNames())
	}
}
