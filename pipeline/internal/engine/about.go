package engine

import (
	"context"
	"slices"
	"strings"

	"github.com/moby/moby/client"
)

// About is what an engine says of itself and its kernel.
type About struct {
	Address  string // unix:///var/run/docker.sock
	Context  string // the Docker context in use; empty: none
	Version  string // of the engine
	API      string
	Kernel   string // uname -r
	System   string // "Debian GNU/Linux 12 (bookworm)"
	Storage  string // overlayfs, fuse-overlayfs, vfs …
	Folder   string // of its images, on its own machine
	Memory   int64  // bytes of its machine
	Rootless bool
	Seccomp  bool
	Warnings []string // its own
}

// About asks the engine what it is.
func (e *Engine) About(ctx context.Context) (About, error) {
	answer, err := e.Info(ctx, client.InfoOptions{})
	if err != nil {
		return About{}, explain(err)
	}
	info := answer.Info
	has := func(option string) bool {
		return slices.ContainsFunc(info.SecurityOptions, func(o string) bool { return strings.Contains(o, "name="+option) })
	}
	name, _ := contextName() // an error: then we would not be connected
	return About{
		Address: e.DaemonHost(), Context: name, Version: info.ServerVersion, API: e.ClientVersion(),
		Kernel: info.KernelVersion, System: info.OperatingSystem, Storage: info.Driver, Folder: info.DockerRootDir,
		Memory: info.MemTotal, Rootless: has("rootless"), Seccomp: has("seccomp"), Warnings: info.Warnings,
	}, nil
}
