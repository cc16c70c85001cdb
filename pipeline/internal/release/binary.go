package release

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/tcapflow/tcapflow/elfcheck"
	"github.com/tcapflow/tcapflow/pipeline/internal/artifact"
	"github.com/tcapflow/tcapflow/pipeline/internal/fault"
)

// Order is the file, in JSON, that the hand-off program reads.
type Order struct {
	Out      string
	Binaries []Binary
}

// Binary is an artifact and what the plan wants of it.
type Binary struct {
	artifact.Artifact
	Want elfcheck.Want
}

// Take copies the binary from out/ to a path, mode 0755. The copy is there only if its
// bytes are those that the manifest names and it passes the gate.
func (b Binary) Take(out, to string) error {
	part := to + ".part"
	defer os.Remove(part)
	if err := copyFile(filepath.Join(out, filepath.FromSlash(b.Path)), part); err != nil {
		return fault.New(fault.Failed, "`mage static` builds it", "%s: %w", b.Target, err)
	}
	if err := b.verify(part); err != nil {
		return fault.New(fault.Failed, "remove out/ and build anew: `mage static`",
			"%s: out/%s %w", b.Target, b.Path, err)
	}
	return os.Rename(part, to)
}

// verify looks at the copy, which nobody else changes any more.
func (b Binary) verify(copied string) error {
	same := b.Artifact
	same.Path = filepath.Base(copied)
	if !same.Intact(filepath.Dir(copied)) {
		return errors.New("is not the file that the manifest names: its SHA-256 differs")
	}
	_, findings, err := elfcheck.File(copied, b.Want)
	if err != nil {
		return fmt.Errorf("cannot be checked: %w", err)
	}
	if len(findings) == 0 {
		return nil
	}
	var lines []string
	for _, f := range findings {
		lines = append(lines, f.String())
	}
	return fmt.Errorf("is refused:\n  %s", strings.Join(lines, "\n  "))
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o755)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Chmod(0o755), out.Close()) // whatever the umask is
}
