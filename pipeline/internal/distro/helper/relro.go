//go:build linux

package main

import (
	"bytes"
	"debug/elf"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/tcapflow/tcapflow/pipeline/internal/distro/relro"
)

// checkRelro runs a command on an input, and looks at its memory while it waits for
// more. program is the ELF file in question, which the command may run by an emulator.
func checkRelro(program string, stdin io.Reader, command []string) error {
	file, err := elf.Open(program)
	if err != nil {
		return err
	}
	defer file.Close()
	path, err := filepath.EvalSymlinks(program)
	if err != nil {
		return err
	}
	input, err := io.ReadAll(stdin)
	if err != nil {
		return err
	}
	maps, err := mapsOf(command, input)
	if err != nil {
		return err
	}
	return relro.Check(file, path, bytes.NewReader(maps), uint64(os.Getpagesize()))
}

// mapsOf returns /proc/PID/maps of a command that has begun to read its input: once more
// has been written than a pipe holds, pipe(7), it has started up.
func mapsOf(command []string, input []byte) ([]byte, error) {
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		return nil, err
	}
	defer null.Close()
	stdin, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer w.Close()
	files := []*os.File{stdin, null, os.Stderr}
	process, err := os.StartProcess(command[0], command, &os.ProcAttr{Files: files})
	stdin.Close() // so that writing ends when the command does
	if err != nil {
		return nil, err
	}
	defer process.Wait()
	defer process.Kill()
	if _, err := w.Write(input); err != nil {
		return nil, fmt.Errorf("%q did not read its input: %w", command, err)
	}
	return os.ReadFile(fmt.Sprintf("/proc/%d/maps", process.Pid))
}
