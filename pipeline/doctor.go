package pipeline

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"text/tabwriter"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"github.com/tcapflow/tcapflow/pipeline/internal/doctor"
	"github.com/tcapflow/tcapflow/pipeline/internal/engine"
	"github.com/tcapflow/tcapflow/pipeline/internal/fault"
)

// DoctorOptions say what is looked at; all empty: this machine.
type DoctorOptions struct {
	File    string // why does this program not run here, or in Image
	Image   string // an OCI layout, a file of `docker save`, or an image that the engine has
	Arch    string // GOARCH, of an image for several
	Message string // what the user saw
}

// Doctor says what is missing on this machine, or why a program does not run here or in an
// image. The error tells that something was found that stops it.
func (p *Pipeline) Doctor(ctx context.Context, d DoctorOptions) error {
	found, err := p.examine(ctx, d)
	if err != nil {
		return err
	}
	if p.o.JSON {
		enc := json.NewEncoder(p.stdout)
		enc.SetIndent("", " ")
		if err := enc.Encode(found); err != nil {
			return err
		}
	} else if err := printFindings(p.stdout, found); err != nil {
		return err
	}
	bad := 0
	for _, f := range found {
		if f.Status == doctor.Fail {
			bad++
		}
	}
	if bad > 0 {
		return fault.New(fault.Failed, "", "found %d of what stops it", bad)
	}
	return nil
}

func (p *Pipeline) examine(ctx context.Context, d DoctorOptions) ([]doctor.Finding, error) {
	switch {
	case d.Image != "":
		return p.inImage(ctx, d)
	case d.File != "":
		return p.onHost(d)
	case d.Message != "":
		return nil, fault.New(fault.Usage, "name the program with -file, or the image with -image", "a message alone says too little")
	}
	return p.machine(ctx)
}

func printFindings(w io.Writer, found []doctor.Finding) error {
	if len(found) == 0 {
		_, err := fmt.Fprintln(w, "nothing was found that would stop it")
		return err
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, f := range found {
		fmt.Fprintf(table, "%s\t%s\t%s\n", f.Status, f.What, f.Says)
		if f.Next != "" {
			fmt.Fprintf(table, "\t\tnext: %s\n", f.Next)
		}
	}
	return table.Flush()
}

func (p *Pipeline) onHost(d DoctorOptions) ([]doctor.Finding, error) {
	name, err := filepath.Abs(d.File)
	if err != nil {
		return nil, err
	}
	place, err := doctor.Host()
	if err != nil {
		return nil, err
	}
	return doctor.Program(place, filepath.ToSlash(name), d.Message)
}

func (p *Pipeline) inImage(ctx context.Context, d DoctorOptions) ([]doctor.Finding, error) {
	img, err := doctor.Image(d.Image, d.Arch)
	if os.IsNotExist(err) {
		e, engineErr := p.connect(ctx)
		if engineErr != nil {
			return nil, engineErr
		}
		defer e.Close()
		img, err = savedImage(ctx, e, d.Image)
	}
	if err != nil {
		return nil, fault.New(fault.Usage, "name an OCI layout, a file of `docker save`, or an image that the engine has",
			"%s: %w", d.Image, err)
	}
	return doctor.InImage(ctx, img, d.File, d.Message, "")
}

// savedImage reads an image from the engine, as `docker save` does.
func savedImage(ctx context.Context, e *engine.Engine, ref string) (v1.Image, error) {
	return tarball.Image(func() (io.ReadCloser, error) { return e.ImageSave(ctx, []string{ref}) }, nil)
}
