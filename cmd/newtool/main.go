// Command newtool makes a new project that is built with this library:
//
//	go run github.com/tcapflow/tcapflow/cmd/newtool@latest DIR -module=example.org/you/yourtool
//
// In a checkout of this repository, `mage template:new` does the same.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"strings"
	"syscall"

	"golang.org/x/mod/modfile"

	"github.com/tcapflow/tcapflow/template"
)

const usage = `usage: newtool DIR -module=example.org/you/yourtool [options]

Makes a project in DIR: a Go program, with the C library that it links, which becomes one
static file for each platform. Then:

  cd DIR
  go tool mage static

Options:
`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(ctx, os.Args[1:], os.Stderr)
	if err == nil || errors.Is(err, flag.ErrHelp) {
		return
	}
	fmt.Fprintln(os.Stderr, "Error:", err)
	var known *template.Error
	switch { // as mage's targets: docs/reference.md
	case errors.As(err, &known) && known.Usage:
		os.Exit(2)
	case known != nil && known.Fetch:
		os.Exit(4)
	}
	os.Exit(1)
}

func run(ctx context.Context, args []string, stderr io.Writer) error {
	n := template.New{Log: stderr}
	record := ""
	flags := flag.NewFlagSet("newtool", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&n.Project.Module, "module", "", "path of the Go module")
	flags.StringVar(&n.Project.Name, "name", "", "of the program; else the last word of the module path")
	flags.StringVar(&n.Project.CLib, "clib", "none", "the C library: "+strings.Join(template.CLibs(), ", "))
	flags.BoolVar(&n.Project.Whole, "whole", false,
		"a renamed copy of the whole repository, in place of a project that requires it")
	flags.StringVar(&record, "record", "",
		"only make the files of the project that this file records, for an update")
	flags.Usage = func() {
		fmt.Fprint(stderr, usage)
		flags.PrintDefaults()
	}
	// The folder may stand before the options, where package flag would stop.
	if len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		n.Dir, args = args[0], args[1:]
	}
	if err := flags.Parse(args); err != nil {
		return err
	}
	rest := flags.Args()
	if n.Dir == "" && len(rest) > 0 {
		n.Dir, rest = rest[0], rest[1:]
	}
	if len(rest) > 0 {
		return &template.Error{Err: fmt.Errorf("what is %q?", rest), Next: "newtool -h", Usage: true}
	}
	if record != "" {
		return render(n.Dir, record)
	}
	n.Version, n.Checkout = origin()
	return n.Make(ctx)
}

func render(dir, record string) error {
	r, err := template.ReadRecord(filepath.Dir(record))
	if err != nil {
		return err
	}
	return template.RenderTo(dir, r)
}

// origin is the version of this program, or, where it was built in a checkout, that.
func origin() (version, checkout string) {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Sum != "" {
		return info.Main.Version, "" // by go run …@VERSION
	}
	dir, err := os.Getwd()
	if err != nil {
		return template.Unreleased, ""
	}
	text, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	if err != nil || modfile.ModulePath(text) != template.Library {
		return template.Unreleased, ""
	}
	return template.Unreleased, dir
}
