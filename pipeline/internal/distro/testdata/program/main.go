// Command program does what the scenarios of the tests want of a program: it knows its
// version, reads files, and has two ends of a conversation.
package main

import (
	"fmt"
	"io"
	"net"
	"os"
)

var version = "unknown"

// at is where the two ends meet, on the loopback interface that places share.
const at = "127.0.0.1:5060"

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "program:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) == 0 {
		return fmt.Errorf("no command")
	}
	switch args[0] {
	case "version":
		_, err := fmt.Println("program", version)
		return err
	case "cat":
		return cat(args[1])
	case "hear":
		return hear()
	case "say":
		return say(args[1])
	}
	return fmt.Errorf("unknown command %q", args[0])
}

func cat(name string) error {
	in := os.Stdin
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return err
		}
		defer f.Close()
		in = f
	}
	_, err := io.Copy(os.Stdout, in)
	return err
}

func hear() error {
	c, err := net.ListenPacket("udp", at)
	if err != nil {
		return err
	}
	defer c.Close()
	fmt.Fprintln(os.Stderr, "ready")
	heard := make([]byte, 100)
	n, _, err := c.ReadFrom(heard)
	fmt.Printf("heard %s as %d\n", heard[:n], os.Getuid())
	return err
}

func say(word string) error {
	c, err := net.Dial("udp", at)
	if err != nil {
		return err
	}
	defer c.Close()
	_, err = io.WriteString(c, word)
	return err
}
