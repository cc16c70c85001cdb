//go:build linux

package main

import (
	"bytes"
	"debug/elf"
	"fmt"
	"os"
	"path/filepath"

	"github.com/tcapflow/tcapflow/pipeline/internal/distro/relro"
)

// pipeHolds is what fits into a pipe that nobody reads, pipe(7): 64 KiB. When more has
// been written, the reader has started up, and reads.
const pipeHolds = 64 << 10 // bytes

// checkRelro runs a command that reads a capture from its standard input, and looks at
// its memory while it waits for more. program is the ELF file in question, which
// the command may run by an emulator.
func checkRelro(program, capture string, command []string) error {
	file, err := elf.Open(program)
	if err != nil {
		return err
	}
	defer file.Close()
	path, err := filepath.EvalSymlinks(program)
	if err != nil {
		return err
	}
	input, err := longer(capture, 2*pipeHolds)
	if err != nil {
		return err
	}
	maps, err := mapsOf(command, input)
	if err != nil {
		return err
	}
	return relro.Check(file, path, bytes.NewReader(maps), uint64(os.Getpagesize()))
}

// longer repeats the frames of a pcap file until it has at least so many bytes.
func longer(capture string, size int) ([]byte, error) {
	data, err := os.ReadFile(capture)
	if err != nil {
		return nil, err
	}
	if _, err := parse(data); err != nil || len(data) == pcapHeader {
		return nil, fmt.Errorf("%s: no frames (%v)", capture, err)
	}
	frames := data[pcapHeader:]
	return append(data, bytes.Repeat(frames, size/len(frames)+1)...), nil
}

// mapsOf returns /proc/PID/maps of a command that has begun to read its input.
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
