// Package config gives flags the values that the command line left out: from the
// environment, and from one YAML file. All three have the same names, so that a flag is
// all that has to be known: -max-dialogues is PREFIX_MAX_DIALOGUES and "max-dialogues:".
// The command line goes before the environment, that before the file.
//
// In go a flag set that was parsed and the environment; what comes out is the same flag
// set, and where each value is from.
package config

import (
	"errors"
	"flag"
	"fmt"
	"slices"
	"strings"
)

// FileFlag is the name of the flag that names the file.
const FileFlag = "config"

// Source is where values come from, besides the command line.
type Source struct {
	Prefix  string   // of the variables' names: "TCAPFLOW_CLIENT_"
	Environ []string // as os.Environ has it
	Known   []string // the names of all flags of the program; those of other commands are passed over
}

// Variable is the name of a flag's variable.
func (s *Source) Variable(name string) string {
	return s.Prefix + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
}

// ErrValue is part of every error about a key or a value. Errors of the file itself are
// those of package os.
var ErrValue = errors.New("configuration")

// setting is a value that was found, and where.
type setting struct {
	name   string
	values []string // several where a file has a list
	origin string   // "trace.yaml:3", "TCAPFLOW_CLIENT_HOLD"
}

// Fill sets the flags that were not given on the command line. It returns the origin of
// each value that it set, by the name of its flag. A name that no command has is refused.
func (s *Source) Fill(f *flag.FlagSet) (origins map[string]string, err error) {
	given := make(map[string]bool)
	f.Visit(func(g *flag.Flag) { given[g.Name] = true })
	environment, err := s.environment()
	if err != nil {
		return nil, err
	}
	origins = make(map[string]string)
	if err := apply(f, environment, given, origins); err != nil {
		return nil, err
	}
	file := f.Lookup(FileFlag)
	if file == nil || file.Value.String() == "" {
		return origins, nil
	}
	settings, err := s.file(file.Value.String())
	if err != nil {
		return nil, err
	}
	return origins, apply(f, settings, given, origins)
}

// apply sets what nobody set before.
func apply(f *flag.FlagSet, settings []setting, given map[string]bool, origins map[string]string) error {
	for _, s := range settings {
		if given[s.name] || f.Lookup(s.name) == nil {
			continue
		}
		for _, v := range s.values {
			if err := f.Set(s.name, v); err != nil {
				return s.wrong("%q: %v", v, err)
			}
		}
		given[s.name], origins[s.name] = true, s.origin
	}
	return nil
}

func (s *setting) wrong(format string, args ...any) error {
	return fmt.Errorf("%w: %s: %s: %s", ErrValue, s.origin, s.name, fmt.Sprintf(format, args...))
}

// unknown refuses a name, with the one that was probably meant.
func (s *Source) unknown(origin, name string, known []string) error {
	hint := "`tcapflow-client config` lists the names"
	if near := nearest(name, known); near != "" {
		hint = fmt.Sprintf("is it %q? %s", near, hint)
	}
	return fmt.Errorf("%w: %s: unknown key %q: %s", ErrValue, origin, name, hint)
}

// environment finds the variables with our prefix.
func (s *Source) environment() ([]setting, error) {
	names := make(map[string]string)
	var variables []string
	for _, name := range s.Known {
		names[s.Variable(name)] = name
		variables = append(variables, s.Variable(name))
	}
	var settings []setting
	for _, text := range slices.Sorted(slices.Values(s.Environ)) {
		variable, value, _ := strings.Cut(text, "=")
		rest, ours := strings.CutPrefix(variable, s.Prefix)
		if !ours || serviceLink(rest, value) {
			continue
		}
		name, ok := names[variable]
		if !ok {
			return nil, s.unknown("environment", variable, variables)
		}
		settings = append(settings, setting{name, []string{value}, variable})
	}
	return settings, nil
}

// serviceLink tells the variables that Kubernetes, and Docker's links before it, give a
// container for each service: for one that is called like this program they begin with
// our prefix, and …_PORT is the name of a flag's variable, too.
// https://kubernetes.io/docs/tutorials/services/connect-applications-service/#environment-variables
func serviceLink(rest, value string) bool {
	switch {
	case rest == "SERVICE_HOST", rest == "SERVICE_PORT", strings.HasPrefix(rest, "SERVICE_PORT_"):
		return true
	case rest == "PORT":
		return strings.Contains(value, "://")
	}
	number, ok := strings.CutPrefix(rest, "PORT_")
	return ok && number != "" && number[0] >= '0' && number[0] <= '9'
}

// nearest is the known name that a wrong one can be made of with the fewest changes, at
// most two.
func nearest(name string, known []string) string {
	best, distance := "", 3
	for _, k := range known {
		if d := changes(name, k); d < distance && d < len(name) {
			best, distance = k, d
		}
	}
	return best
}

// changes is the optimal string alignment distance: letters put in, left out, replaced
// or swapped with their neighbour.
func changes(a, b string) int {
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			replaced := rows[i-1][j-1]
			if a[i-1] != b[j-1] {
				replaced++
			}
			rows[i][j] = min(rows[i-1][j]+1, rows[i][j-1]+1, replaced)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(a)][len(b)]
}
