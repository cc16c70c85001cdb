package targets

import (
	"context"

	"github.com/tcapflow/tcapflow/pipeline"
)

// Doctor says what is wrong here, or why a program does not run somewhere.
//
// Without options it looks at what a build needs: engine, network, disk, Go, git.
//
//example:mage doctor                                              what a build needs
//example:mage doctor -file=out/linux_amd64/tcapflow-client        does this run here?
//example:mage doctor -file=./program -os=debian11                 does it run there?
//example:mage doctor -image=registry.example/program:1            does what the image starts run in it?
//example:mage doctor -file=./program -image=alpine:3.22           would it, if it were copied into the image?
//example:mage doctor -image=program -message='exec format error'  which of the findings explains this?
//example:mage doctor -json                                        the checks, for a program
func Doctor(ctx context.Context, file, image, os, targets, message *string, json *bool) error {
	a := pipeline.Args{File: file, Image: image, OS: os, Targets: targets, Message: message, JSON: json}
	return do(ctx, a, (*pipeline.Pipeline).Doctor)
}

// Dev builds for this machine whenever a file changes, until Ctrl-C.
//
// It is the host's own go build with the project's tags, for trying out: into out/dev, linked as this machine
// links. C libraries must be installed here.
func Dev(ctx context.Context) error { return do(ctx, pipeline.Args{}, (*pipeline.Pipeline).Dev) }
