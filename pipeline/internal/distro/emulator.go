package distro

import (
	"context"
	"os"
	"path/filepath"

	"github.com/tcapflow/tcapflow/pipeline/internal/debian"
	"github.com/tcapflow/tcapflow/pipeline/internal/files"
	"github.com/tcapflow/tcapflow/spec"
)

// Emulator returns the file of the static program qemu-user that runs a target's binaries
// on an engine of an architecture (GOARCH), out of the locked package set of QEMU. It is
// extracted into the cache folder once.
func Emulator(ctx context.Context, set spec.PackageSet, t spec.Target, arch string, mirror debian.Mirror, lock debian.Lock, cache string) (string, error) {
	packages, err := lock.Packages(set, arch)
	if err != nil {
		return "", err
	}
	program := "qemu-" + t.QEMU
	file := filepath.Join(cache, "qemu", packages[0].SHA256[:24], program)
	if _, err := os.Stat(file); err == nil {
		return file, nil
	}
	debs, err := mirror.Debs(ctx, packages)
	if err != nil {
		return "", err
	}
	part, err := files.Create(file)
	if err != nil {
		return "", err
	}
	defer part.Discard()
	if err := debian.Extract(debs[0], "usr/bin/"+program, part); err != nil {
		return "", err
	}
	return file, part.Commit()
}
