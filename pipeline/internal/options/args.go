package options

import (
	"github.com/tcapflow/tcapflow/spec"
)

// Args are the options of the mage targets; nil means not given. Each has its row in
// table, which is what Read, `mage vars` and the manual go by.
type Args struct {
	Targets, Base, Files, Only, Require     *string
	File, Image, OS, Message, Command       *string
	Locked, Debug, JSON, Publish, Show, All *bool
}

// Option is an option of mage targets.
type Option struct {
	Name    string `json:"name"`
	Default string `json:"default"` // "": none, or off
	Meaning string `json:"meaning"`
	// Variable is what says it where the option is not given.
	Variable string `json:"variable,omitempty"`
	Set      string `json:"set,omitempty"`
	From     string `json:"from,omitempty"` // who has set it: the command line, or the variable
}

// row ties an option to its field. One of text and flag is not nil.
type row struct {
	Option
	text **string
	flag **bool
}

// table has a row for each field of Args; there is no option beside it.
func (a *Args) table() []row {
	text := func(at **string, name, otherwise, meaning string) row {
		return row{Option{Name: name, Default: otherwise, Meaning: meaning}, at, nil}
	}
	flag := func(at **bool, name, meaning string) row {
		return row{Option{Name: name, Meaning: meaning}, nil, at}
	}
	return []row{
		text(&a.Targets, "targets", "all",
			"these platforms only, with commas between; exact names, as `mage targets` lists them"),
		text(&a.Base, "base", "auto", "alpine, debian, or auto: what the builder is made of"),
		flag(&a.Debug, "debug", "unstripped twins without optimisation, in out/OS_ARCH_debug/"),
		flag(&a.Locked, "locked", "stop where a locked input is gone, instead of taking the next best with a warning"),
		flag(&a.JSON, "json", "the result for a program, on standard output"),
		text(&a.Files, "files", "all of out/", "ELF files to check, with commas between"),
		flag(&a.Publish, "publish", "upload what was packed; only at a clean version tag; implies -locked"),
		text(&a.Only, "only", "all",
			"what matches: of test:distros a path as with `go test -run`, of test:libraries names"),
		text(&a.Require, "require", "none",
			"beginnings of names of distributions that must be had: where they cannot, their tests fail"),
		flag(&a.Show, "show", "only list what would go"),
		flag(&a.All, "all", "of clean: what every checkout uses, and downloads; of images:lock: every set"),
		text(&a.File, "file", "none", "the program that does not run: a path here, or one in -image"),
		text(&a.Image, "image", "none",
			"where it does not run: an image of the engine, an OCI layout, or a file of `docker save`"),
		text(&a.OS, "os", "none",
			"where it does not run, as a name: debian11, ubuntu22.04, rhel8, alpine, distroless, scratch"),
		text(&a.Message, "message", "none", "what was printed where it did not run"),
		text(&a.Command, "command", "an interactive shell", "what sh or dlv runs, instead of asking you"),
	}
}

// Flags lists the options, with what these arguments and the environment say of each.
func Flags(project spec.Project, a Args) []Option {
	var list []Option
	for _, r := range a.table() {
		o := r.Option
		switch {
		case r.text != nil && *r.text != nil:
			o.Set, o.From = **r.text, "command line"
		case r.flag != nil && *r.flag != nil && **r.flag:
			o.Set, o.From = "yes", "command line"
		}
		if o.Name == "base" {
			o.Variable = project.Namespace.Variable("BASE")
			if value := lookUp(o.Variable); o.Set == "" && value != "" {
				o.Set, o.From = value, o.Variable
			}
		}
		list = append(list, o)
	}
	return list
}

// given is the value of an option, or the zero value.
func given[T any](option *T) (value T) {
	if option != nil {
		value = *option
	}
	return value
}
