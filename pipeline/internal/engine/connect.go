package engine

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/moby/moby/client"

	"github.com/tcapflow/tcapflow/spec"
)

// Connect finds the engine that DOCKER_HOST, a Docker context or a socket at one of
// the usual places names. checkout is the folder whose lock the caller holds, namespace
// what its project is called by in the engine.
func Connect(ctx context.Context, checkout string, namespace spec.Namespace) (*Engine, error) {
	candidates, err := endpoints()
	if err != nil {
		return nil, unreachable(err, "")
	}
	var failed []error
	for _, at := range candidates {
		e, err := at.connect(ctx)
		if err == nil {
			e.checkout, e.namespace = CheckoutID(checkout), namespace
			return e, nil
		}
		failed = append(failed, err)
	}
	return nil, unreachable(errors.Join(failed...), candidates[0].said)
}

// answerWithin bounds each question that is asked while the engine is looked for.
// Docker answers in milliseconds, podman 4.3.1 takes 2 s for its information.
const answerWithin = 10 * time.Second

var errNoAnswer = fmt.Errorf("no answer within %s", answerWithin)

func (at endpoint) connect(ctx context.Context) (*Engine, error) {
	options, err := at.ClientOpts()
	if err != nil {
		return nil, err
	}
	c, err := client.New(append(options, client.WithUserAgent("mage"))...)
	if err != nil {
		return nil, err
	}
	e, err := introduce(ctx, c)
	if err != nil {
		c.Close()
		return nil, err
	}
	return e, nil
}

// introduce asks an engine what it is.
func introduce(ctx context.Context, c *client.Client) (*Engine, error) {
	asking, cancel := context.WithTimeoutCause(ctx, answerWithin, errNoAnswer)
	defer cancel()
	answer, err := c.Info(asking, client.InfoOptions{})
	if err != nil {
		if cause := context.Cause(asking); cause != nil {
			err = cause
		}
		return nil, err
	}
	info := answer.Info
	if info.OSType != "linux" {
		return nil, fmt.Errorf("it runs %s containers; switch it to Linux containers", info.OSType)
	}
	e := &Engine{Client: c, Arch: goArch(info.Architecture), CPUs: info.NCPU}
	e.provider, err = providerFor(ctx, c, defaultNetwork(info.Plugins.Network))
	return e, err
}

// defaultNetwork is one that surely is there, by the kinds of network that an engine
// knows: Docker's "none", of the kind "null", also where its daemon has no bridge;
// podman, which has neither, makes "podman" out of itself.
func defaultNetwork(kinds []string) string {
	if slices.Contains(kinds, "null") {
		return "none"
	}
	return "podman"
}

// CheckoutID is what a checkout is called in labels: a digest of host name and folder, so that
// two machines on one remote engine do not sweep each other's containers.
func CheckoutID(folder string) string {
	host, _ := os.Hostname()
	sum := sha256.Sum256([]byte(host + "\x00" + folder))
	return hex.EncodeToString(sum[:8])
}

// goArch turns what uname(1) says into GOARCH.
func goArch(machine string) string {
	switch machine {
	case "x86_64":
		return "amd64"
	case "aarch64":
		return "arm64"
	}
	return machine
}
