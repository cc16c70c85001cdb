package pipeline

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"

	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"github.com/tcapflow/tcapflow/pipeline/internal/cache"
	"github.com/tcapflow/tcapflow/pipeline/internal/doctor"
	"github.com/tcapflow/tcapflow/pipeline/internal/fault"
)

// DoctorOptions say what is looked at; all empty: what a build needs here.
type DoctorOptions struct {
	File    string // why does this program not run here, in Image, or on OS
	Image   string // an OCI layout, a file of `docker save`, or an image that the engine has
	OS      string // a distribution, by its name
	Arch    string // GOARCH, where that is not this machine's
	Message string // what the user saw
}

// Doctor finds out what is wrong. Without a file or an image it looks at what a build needs
// here; with one, at why a program does not run. A failure among its checks is an error.
func (p *Pipeline) Doctor(ctx context.Context, d DoctorOptions) error {
	var checks []doctor.Check
	var err error
	if d.File == "" && d.Image == "" {
		checks = p.examineHost(ctx)
	} else if checks, err = p.examineProgram(ctx, d); err != nil {
		return err
	}
	if p.o.JSON {
		enc := json.NewEncoder(p.stdout)
		enc.SetIndent("", " ")
		err = enc.Encode(checks)
	} else {
		err = doctor.Write(p.stdout, checks, p.o.Colour)
	}
	if err == nil && doctor.Failed(checks) {
		err = fault.New(fault.Failed, "the lines above say what to do", "%s", doctor.Summary(checks))
	}
	return err
}

// examineProgram looks at a program of this machine or of an image.
func (p *Pipeline) examineProgram(ctx context.Context, d DoctorOptions) ([]doctor.Check, error) {
	if d.Image == "" {
		there, err := d.there()
		if err != nil {
			return nil, err
		}
		program, err := doctor.Open(d.File)
		if err != nil {
			return doctor.Absent(d.File, doctor.Host(), err, d.Message), nil
		}
		return doctor.Diagnose(program, there.For(program, d.Message), d.Message), nil
	}
	if d.OS != "" {
		return nil, fault.New(fault.Usage, "give one of them",
			"-os and -image both say where the program is to run")
	}
	image, err := p.openImage(ctx, d)
	if err != nil {
		return nil, err
	}
	defer image.Close()
	return d.examineImage(image)
}

// there is the place that the user names, or this machine.
func (d DoctorOptions) there() (doctor.There, error) {
	arch := d.Arch
	switch {
	case d.OS != "":
		t, err := doctor.System(d.OS, arch)
		if err != nil {
			return t, fault.New(fault.Usage, "name one of them, or an image with -image", "%w", err)
		}
		return t, nil
	case arch == "":
		return doctor.Host(), nil
	}
	return doctor.Anywhere(arch), nil
}

// examineImage looks at a file of an image, at one of this machine as if it were there, or at
// what the image starts.
func (d DoctorOptions) examineImage(image *doctor.Image) ([]doctor.Check, error) {
	name := d.File
	switch {
	case name == "":
		var err error
		if name, err = image.Start(); err != nil {
			return doctor.Absent("the program", image.There(), err, d.Message), nil
		}
	case !image.Has(name):
		if program, err := doctor.Open(name); err == nil {
			return doctor.Diagnose(program, image.There(), d.Message), nil
		}
	}
	program, err := image.File(name)
	if err != nil {
		return doctor.Absent(name, image.There(), err, d.Message), nil
	}
	return doctor.Diagnose(program, image.There(), d.Message), nil
}

// openImage reads an OCI layout, a file of `docker save`, or an image of the engine.
func (p *Pipeline) openImage(ctx context.Context, d DoctorOptions) (_ *doctor.Image, err error) {
	kept, err := cache.Open(p.o.Cache)
	if err != nil {
		return nil, notOurs(p.project, err)
	}
	work, err := os.MkdirTemp(string(kept), "unpacked-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(work)
	arch := cmp.Or(d.Arch, runtime.GOARCH)
	name := d.Image
	img, ok, err := doctor.OpenImage(name, arch)
	if err != nil {
		return nil, fault.New(fault.Usage,
			"name an image of the engine, an OCI layout or a file of `docker save`", "%w", err)
	}
	if !ok {
		saved := filepath.Join(work, "image.tar")
		if err := p.save(ctx, name, saved); err != nil {
			return nil, err
		}
		if img, err = tarball.ImageFromPath(saved, nil); err != nil {
			return nil, fmt.Errorf("image %s: %w", name, err)
		}
	}
	return doctor.ReadImage(name, img, work)
}

// save writes an image of the engine into a file.
func (p *Pipeline) save(ctx context.Context, name, file string) error {
	e, err := p.connect(ctx)
	if err != nil {
		return err
	}
	defer e.Close()
	stream, err := e.Save(ctx, name)
	if err != nil {
		return err
	}
	defer stream.Close()
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.Copy(f, stream)
	return err
}
