package spec

import (
	"context"
	"io"
	"io/fs"
)

// Scenario is something that a user does with the installed program. It is run in every
// place of the matrix, as DISTRO/ARCH/PACKING/NAME. Package scenario has ready ones.
type Scenario struct {
	Name        string
	Packing     string // image, deb or tar.gz: the only form that it is for; empty: each
	SkipForeign string // why it cannot be run under qemu-user; empty: it can
	Run         func(ctx context.Context, place Place) error
}

// Place is a container in which the packed program is installed. It has no network but a
// loopback interface, and no rights beyond those that the program's file is given.
type Place interface {
	// Exec runs the program. An error says that it did not start.
	Exec(ctx context.Context, c Command) (Outcome, error)

	// Put copies files into a folder, which Command.Dir may name.
	Put(ctx context.Context, folder string, files fs.FS) error

	// Peer starts a second container, with the program in it, in the same network. It ends
	// with this place, at the latest.
	Peer(ctx context.Context) (Place, error)

	// Fresh is this place as users of an image start it: Exec starts a container with the
	// image's own entry point and user. Capabilities are named as by `docker run`: NET_RAW.
	// It is there where Packing is image and the program is not foreign.
	Fresh(ctx context.Context, addCapabilities, dropCapabilities []string) (Place, error)

	// Protected tells whether the program's tables of addresses are read-only while it runs
	// (full RELRO); the header of an ELF file only asks for it. The command must read its
	// standard input, which has to be longer than the 64 KiB that a pipe holds, pipe(7).
	Protected(ctx context.Context, c Command) error

	Packing() string // image, deb or tar.gz
	Foreign() bool   // qemu-user runs the program, not the engine's kernel
	Version() string // of the package
}

// Command is a run of the program.
type Command struct {
	Args   []string
	User   string // "0:0"; empty: the image's own, or nobody
	Dir    string // the working folder: one that Put has filled; empty: the image's
	Stdin  []byte
	Stderr io.Writer // gets what the program says while it runs; may be nil
}

// Outcome is how a run of the program ended.
type Outcome struct {
	Code           int // the exit status
	Stdout, Stderr string
}
