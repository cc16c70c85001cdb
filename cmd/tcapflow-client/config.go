package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/tcapflow/tcapflow/internal/config"
)

// variablePrefix is what the names of our environment variables begin with.
const variablePrefix = "TCAPFLOW_CLIENT_"

// configFlag defines the flag that names the configuration file.
func configFlag(f *flag.FlagSet) { f.String(config.FileFlag, "", "") }

// configure gives flags that were not on the command line the values that the
// environment and the file have for them.
func configure(f *flag.FlagSet) (origins map[string]string, err error) {
	source := config.Source{Prefix: variablePrefix, Environ: os.Environ(), Known: flagNames()}
	origins, err = source.Fill(f)
	if errors.Is(err, config.ErrValue) {
		return nil, misuse(f.Name(), "%v", err)
	}
	return origins, err
}

// flagNames are the names of all commands' flags.
func flagNames() []string {
	var names []string
	for _, c := range commands() {
		for _, f := range c.flagList() {
			names = append(names, f.Name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// flagList are the flags of a command, in the order of their names.
func (c *command) flagList() (list []*flag.Flag) {
	if c.flags == nil {
		return nil
	}
	f := flag.NewFlagSet(c.name, flag.ContinueOnError)
	c.flags(f)
	f.VisitAll(func(g *flag.Flag) { list = append(list, g) })
	return list
}

// setting is a line of the table that "config" prints.
type setting struct {
	name, variable, fallback, origin string
	commands                         []string
}

// config prints the names of all settings, and where those that are set are from.
func (a *app) config(args []string) error {
	f := flag.NewFlagSet("config", flag.ContinueOnError)
	configFlag(f)
	if err := parse(f, args); err != nil {
		return err
	}
	if f.NArg() > 0 {
		return misuse("config", "unexpected argument %q", f.Arg(0))
	}
	settings, err := settingsOf(f.Lookup(config.FileFlag).Value.String())
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "NAME\tVARIABLE\tDEFAULT\tSET BY\tCOMMANDS")
	for _, s := range settings {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", s.name, s.variable, s.fallback, s.origin, strings.Join(s.commands, " "))
	}
	return w.Flush()
}

// settingsOf gathers the flags of all commands, in the order of their names. The values
// of the environment and of the file, "" for none, are tried on each command.
func settingsOf(file string) ([]*setting, error) {
	source := config.Source{Prefix: variablePrefix}
	known := make(map[string]*setting)
	var list []*setting
	for _, c := range commands() {
		if c.flags == nil {
			continue
		}
		f := flag.NewFlagSet(c.name, flag.ContinueOnError)
		c.flags(f)
		if f.Lookup(config.FileFlag) == nil {
			configFlag(f)
		}
		if err := f.Set(config.FileFlag, file); err != nil {
			return nil, err
		}
		origins, err := configure(f)
		if err != nil {
			return nil, err
		}
		for _, g := range c.flagList() {
			s := known[g.Name]
			if s == nil {
				s = &setting{name: g.Name, variable: source.Variable(g.Name), fallback: "-", origin: "-"}
				known[g.Name], list = s, append(list, s)
			}
			s.commands = append(s.commands, c.name)
			if g.DefValue != "" {
				s.fallback = g.DefValue
			}
			if origin := origins[g.Name]; origin != "" {
				s.origin = origin
			}
		}
	}
	slices.SortFunc(list, func(a, b *setting) int { return strings.Compare(a.name, b.name) })
	return list, nil
}
