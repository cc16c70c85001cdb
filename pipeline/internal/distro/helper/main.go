//go:build linux

// Command helper is put into test containers, also into those that have no other
// program: it needs no library and no shell.
//
//	helper hold                     does nothing until it is killed: a main process
//	helper relro PROGRAM COMMAND…   runs a command with its own standard input, which must be longer
//	                                than what a pipe holds, and checks that PT_GNU_RELRO of the
//	                                program is read-only meanwhile
//
// It is compiled for the containers' Linux, on whatever host.
package main

import (
	"fmt"
	"os"
	"time"
)

func main() {
	var err error
	switch {
	case len(os.Args) == 2 && os.Args[1] == "hold":
		time.Sleep(1<<63 - 1)
	case len(os.Args) > 3 && os.Args[1] == "relro":
		err = checkRelro(os.Args[2], os.Stdin, os.Args[3:])
	default:
		err = fmt.Errorf("wrong use: %q", os.Args)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "helper:", err)
		os.Exit(1)
	}
}
