package main

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/tcapflow/tcapflow/internal/pcap"
)

// expand puts in the place of a directory the files in it, in the order of their first
// packets: the names of rotated files do not sort so (tcpdump's trace.pcap2 comes
// after trace.pcap10). Files whose name begins with a dot, and folders, are left out.
func expand(names []string) ([]string, error) {
	var all []string
	for _, name := range names {
		info, err := os.Stat(name)
		if name == "-" || err != nil || !info.IsDir() {
			all = append(all, name) // what is wrong with it is told when it is opened
			continue
		}
		files, err := inOrder(name)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if len(files) == 0 {
			return nil, fmt.Errorf("%s: no files in this directory", name)
		}
		all = append(all, files...)
	}
	return all, nil
}

func inOrder(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	type part struct {
		name  string
		first int64
	}
	var parts []part
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") || !e.Type().IsRegular() {
			continue
		}
		name := filepath.Join(dir, e.Name())
		parts = append(parts, part{name, firstTime(name)})
	}
	slices.SortStableFunc(parts, func(a, b part) int { return cmp.Compare(a.first, b.first) })
	var files []string
	for _, p := range parts {
		files = append(files, p.name)
	}
	return files, nil
}

// firstTime is the time of a file's first packet; 0 for a file without any, or that is
// no capture, which is told when it is read.
func firstTime(name string) int64 {
	src, err := pcap.OpenFile(name, nil)
	if err != nil {
		return 0
	}
	defer src.Close()
	p, err := src.Next()
	if err != nil {
		return 0
	}
	return p.Time
}
