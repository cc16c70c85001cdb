package doctor

import (
	"errors"
	"io/fs"
	"os"
	"runtime"
)

// Host is the machine that this program runs on.
func Host() (Place, error) {
	root, ok := os.DirFS("/").(fs.ReadLinkFS)
	if !ok || runtime.GOOS != "linux" {
		return Place{}, errors.New("programs for Linux run in an image here: name it with -image")
	}
	arches := []string{runtime.GOARCH}
	switch runtime.GOARCH {
	case "amd64":
		arches = append(arches, "386") // where the kernel has it: it says "exec format error" itself
	case "arm64":
		arches = append(arches, "arm")
	}
	return Place{Name: "this host", Root: root, GOARCH: arches, NoExec: noExec}, nil
}
