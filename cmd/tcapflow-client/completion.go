package main

import (
	"flag"
	"io"
	"slices"
	"strings"

	"github.com/tcapflow/tcapflow/internal/dialogue"
	"github.com/tcapflow/tcapflow/internal/logs"
	"github.com/tcapflow/tcapflow/internal/sigtran/mtp3"
)

// completed is a flag as the scripts know it.
type completed struct {
	name    string
	about   string   // the first words that its manual has about it
	value   string   // what its value is called there: "TIME"; "" for a flag without one
	choices []string // the values that it may have, where they are known
	source  string   // a shell command that prints them, a line each
	file    bool     // its value is a file
}

// listInterfaces is for -i; what cannot be captured on is not worth an error here.
const listInterfaces = `tcapflow-client interfaces 2>/dev/null | sed 's/ .*//'`

// completion prints the script for a shell.
func (a *app) completion(args []string) error {
	f := flag.NewFlagSet("completion", flag.ContinueOnError)
	if err := parse(f, args); err != nil {
		return err
	}
	if f.NArg() != 1 {
		return misuse("completion", "want one shell: %s", strings.Join(shellNames(), ", "))
	}
	at := slices.IndexFunc(shells, func(s shell) bool { return s.name == f.Arg(0) })
	if at < 0 {
		return misuse("completion", "unknown shell %q: want one of %s", f.Arg(0), strings.Join(shellNames(), ", "))
	}
	_, err := io.WriteString(a.stdout, shells[at].script(commands()))
	return err
}

type shell struct {
	name   string
	script func([]command) string
}

var shells = []shell{{"bash", bashScript}, {"zsh", zshScript}, {"fish", fishScript}}

func shellNames() []string {
	var names []string
	for _, s := range shells {
		names = append(names, s.name)
	}
	return names
}

// completedFlags are the flags of a command, in the order of their names.
func (c *command) completedFlags() []completed {
	if c.flags == nil {
		return nil
	}
	f := flag.NewFlagSet(c.name, flag.ContinueOnError)
	c.flags(f)
	var list []completed
	f.VisitAll(func(g *flag.Flag) {
		value, about := manualOf(c.usage, g.Name)
		list = append(list, completed{
			name: g.Name, about: about, value: value, file: value == "FILE",
			choices: choicesOf(g), source: sourceOf(g.Name),
		})
	})
	return list
}

// choicesOf are the values that a flag may have, where they are known.
func choicesOf(g *flag.Flag) []string {
	switch g.Name {
	case "standard":
		names := []string{"auto"}
		for s := range mtp3.Standards {
			names = append(names, s.String())
		}
		return names
	case "sandbox":
		return sandboxChoices
	case "log-format":
		return logs.Formats
	case "outcome":
		return dialogue.OutcomeNames()
	case "subscribers":
		return subscriberModes
	}
	return nil
}

func sourceOf(name string) string {
	if name == "i" {
		return listInterfaces
	}
	return ""
}

// manualOf finds a flag in the manual of its command: what its value is called, and the
// text up to the first clause that ends.
func manualOf(usage, name string) (value, about string) {
	head := "    -" + name
	var text []string
	for line := range strings.Lines(usage) {
		switch {
		case len(text) > 0 && strings.HasPrefix(line, strings.Repeat(" ", 8)):
			text = append(text, strings.Fields(line)...)
		case len(text) > 0:
			return value, clause(text)
		case strings.HasPrefix(line, head+" "), strings.HasPrefix(line, head+"="):
			text = strings.Fields(line)[1:]
			if strings.ToUpper(text[0]) == text[0] {
				value, text = text[0], text[1:]
			}
		}
	}
	return value, clause(text)
}

// clause is the beginning of a text, up to the end of its first sentence or clause.
func clause(words []string) string {
	for i, w := range words {
		if strings.HasSuffix(w, ";") || strings.HasSuffix(w, ".") {
			words = append(slices.Clone(words[:i]), strings.TrimRight(w, ";."))
			break
		}
	}
	return strings.TrimRight(strings.Join(words, " "), ",:")
}
