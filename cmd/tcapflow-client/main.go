// Command tcapflow-client shows the TCAP dialogues in SS7-over-IP traffic, from
// network interfaces and capture files. The constants in usage.go are its manual.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/tcapflow/tcapflow/internal/pcap"
)

// Exit codes; usage documents them.
const (
	exitOK         = 0
	exitError      = 1
	exitUsage      = 2
	exitPermission = 3
	exitNoLibpcap  = 4
)

func main() {
	// A reader that goes away then shows as an error of the write (signal(7)
	// would end the process before its sources are closed).
	signal.Ignore(syscall.SIGPIPE)
	a := &app{stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr, process: true}
	os.Exit(a.run(os.Args[1:]))
}

// app is one run's surroundings.
type app struct {
	stdin          *os.File
	stdout, stderr io.Writer
	log            *slog.Logger // to stderr
	process        bool         // it is all of this process, and may give up what that can do
}

// run is the whole program, for tests: it returns the exit code.
func run(args []string, stdin *os.File, stdout, stderr io.Writer) int {
	return (&app{stdin: stdin, stdout: stdout, stderr: stderr}).run(args)
}

func (a *app) run(args []string) int {
	a.setLog(&serviceOptions{})
	err := a.dispatch(args)
	if err != nil && !errors.Is(err, syscall.EPIPE) && !errors.Is(err, errReported) {
		a.complain(err)
	}
	return exitCode(err)
}

func (a *app) dispatch(args []string) error {
	if len(args) == 0 {
		return misuse("", "no command")
	}
	name := args[0]
	switch name {
	case "-h", "-help", "--help":
		name = "help"
	case "-version", "--version":
		name = "version"
	}
	command, ok := lookup(name)
	if !ok {
		return misuse("", "unknown command %q", name)
	}
	err := command.run(a, args[1:])
	if errors.Is(err, flag.ErrHelp) {
		return a.help([]string{name})
	}
	return err
}

// usageError is wrong use: of a command, or of the program if command is "".
type usageError struct{ command, text string }

func misuse(command, format string, args ...any) error {
	return usageError{command, fmt.Sprintf(format, args...)}
}

func (e usageError) Error() string {
	if e.command == "" {
		return e.text + ": see `tcapflow-client help`"
	}
	return fmt.Sprintf("%s: %s: see `tcapflow-client help %[1]s`", e.command, e.text)
}

// errReported stands for errors that were written when they happened.
var errReported = errors.New("errors were reported")

func (a *app) complain(err error) { a.log.Error(err.Error()) }

func exitCode(err error) int {
	var usage usageError
	switch {
	case err == nil, errors.Is(err, syscall.EPIPE):
		return exitOK
	case errors.As(err, &usage):
		return exitUsage
	case errors.Is(err, pcap.ErrPermission):
		return exitPermission
	case errors.Is(err, pcap.ErrNoLibpcap):
		return exitNoLibpcap
	}
	return exitError
}

// parse parses a command's flags, and takes what the command line leaves out from the
// environment and the configuration file. It returns flag.ErrHelp as it is.
func parse(f *flag.FlagSet, args []string) error {
	f.SetOutput(io.Discard)
	err := f.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return err
	case err != nil:
		return misuse(f.Name(), "%v", err)
	}
	_, err = configure(f)
	return err
}
