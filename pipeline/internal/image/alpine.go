package image

import (
	"archive/tar"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"regexp"
	"strings"
	"time"

	buildtypes "github.com/moby/moby/api/types/build"
	"github.com/moby/moby/client"

	"github.com/tcapflow/tcapflow/pipeline/internal/engine"
	"github.com/tcapflow/tcapflow/pipeline/internal/fault"
	"github.com/tcapflow/tcapflow/pipeline/internal/key"
	"github.com/tcapflow/tcapflow/spec"
)

// AlpineBase builds a builder from build/alpine/Dockerfile.
//
// Alpine's packages are not pinned: a branch gets fixes, and its mirrors keep no old
// version. So two builders of one key can differ by a package's revision; builder.json
// tells them apart.
type AlpineBase struct {
	Spec      spec.Alpine
	Lock      AlpineLock
	Toolchain Toolchain
	Temp      string // folder for the unpacked toolchain

	// Where things come from; none of it is part of a key.
	RegistryPrefix string            // before the image's name: registry.example, in the place of docker.io; empty: the engine's default
	Mirror         string            // before /v3.24/main: https://mirror.example/alpine; empty: the image's own. The image's history shows it
	Proxy          map[string]string // HTTP_PROXY, HTTPS_PROXY, NO_PROXY, as the build is to see them
	CA             []byte            // PEM certificates that a TLS proxy needs; the image does not keep them
}

// AlpineLock is build/alpine/lock.json.
type AlpineLock struct {
	Image  string `json:"image"`            // alpine:3.24
	Digest string `json:"digest,omitempty"` // sha256:…; empty: whatever the tag stands for
}

// ParseAlpineLock reads build/alpine/lock.json.
func ParseAlpineLock(text []byte) (AlpineLock, error) {
	var l AlpineLock
	if err := json.Unmarshal(text, &l); err != nil {
		return AlpineLock{}, fmt.Errorf("build/alpine/lock.json: %w", err)
	}
	return l, nil
}

// image is the locked image without a registry's name.
func (l AlpineLock) image() string {
	if l.Digest == "" {
		return l.Image
	}
	return l.Image + "@" + l.Digest
}

// prefix is the registry's part of the image's reference.
func (a AlpineBase) prefix() string {
	if a.RegistryPrefix == "" {
		return ""
	}
	return strings.TrimSuffix(a.RegistryPrefix, "/") + "/library/"
}

// pullTimeout bounds the pull of an image of 4 MB.
const pullTimeout = 15 * time.Second

// Available tells whether the engine has Alpine's image or can pull it now, and if not,
// why, in one short line.
func (a AlpineBase) Available(ctx context.Context, e *engine.Engine) (ok bool, why string) {
	ref := a.prefix() + a.Lock.image()
	if _, err := e.ImageInspect(ctx, ref); err == nil {
		return true, ""
	}
	ctx, cancel := context.WithTimeout(ctx, pullTimeout)
	defer cancel()
	pull, err := e.ImagePull(ctx, ref, client.ImagePullOptions{})
	if err == nil {
		err = pull.Wait(ctx)
	}
	if err == nil {
		return true, ""
	}
	return false, ref + " cannot be pulled: " + reason(err)
}

// reason is the innermost cause of a registry's error, which the engine hands on as text.
func reason(err error) string {
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Sprintf("no answer within %v", pullTimeout)
	}
	causes := strings.Split(strings.TrimSpace(err.Error()), ": ")
	return causes[len(causes)-1]
}

// Builder names the image that serves the targets on an engine of this architecture;
// nothing is looked up and nothing is run.
func (a AlpineBase) Builder(arch string, targets []spec.Target) (Builder, error) {
	b := Builder{Base: "alpine", Arch: arch, Go: a.Toolchain.Version, GoKey: a.Toolchain.key(arch), Keys: map[string]string{}}
	words := []string{"alpine", arch, a.Lock.image(), a.Toolchain.Version}
	err := a.eachFile(func(name string, text []byte) error {
		words = append(words, name, string(text))
		return nil
	})
	for _, t := range targets {
		b.Keys[t.Name] = key.Of(append(words[:len(words):len(words)], t.Name, t.Triple, t.Alpine)...)
	}
	return b, err
}

// Ensure returns a builder for the targets, built now if the engine has none.
// assembling is called before anything is fetched.
func (a AlpineBase) Ensure(ctx context.Context, e *engine.Engine, targets []spec.Target, assembling func()) (Builder, error) {
	b, err := a.Builder(e.Arch, targets)
	if err != nil {
		return Builder{}, err
	}
	if b, err = b.Present(ctx, e, targets); err != nil || b.Ref != "" {
		return b, err
	}
	assembling()
	if ok, why := a.Available(ctx, e); !ok {
		if ctx.Err() != nil {
			return Builder{}, ctx.Err()
		}
		return Builder{}, fault.New(fault.Fetch, "pull it into the engine, name a registry that has it, or use the debian base", "%s", why)
	}
	dir, err := os.MkdirTemp(a.Temp, "builder-")
	if err != nil {
		return Builder{}, err
	}
	defer os.RemoveAll(dir)
	toolchain, err := a.Toolchain.layer(ctx, dir, e.Arch)
	if err != nil {
		return Builder{}, err
	}
	words := []string{"alpine"}
	for _, t := range targets {
		words = append(words, b.Keys[t.Name])
	}
	b.Ref = e.Tag(kind, "alpine-"+key.Of(words...))
	if err := a.build(ctx, e, b, targets, toolchain); err != nil {
		return Builder{}, err
	}
	return b, b.dropServed(ctx, e, targets)
}

// build has the engine build the image: with the classic builder, which every engine has.
func (a AlpineBase) build(ctx context.Context, e *engine.Engine, b Builder, targets []spec.Target, toolchain assembled) error {
	r, w := io.Pipe()
	go func() { w.CloseWithError(a.writeContext(w, toolchain)) }()
	defer r.Close()
	result, err := e.ImageBuild(ctx, r, client.ImageBuildOptions{
		Tags:      []string{b.Ref},
		Labels:    b.labelsFor(targets),
		BuildArgs: a.arguments(targets),
		Version:   buildtypes.BuilderV1,
		NoCache:   true, // Alpine's packages change under an unchanged Dockerfile
		Remove:    true, ForceRemove: true,
	})
	if err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return &fault.Error{Code: fault.Engine, Err: fmt.Errorf("build %s: %w", b.Ref, err)}
	}
	defer result.Body.Close()
	err = follow(result.Body)
	if err == nil {
		// An engine that dies ends the messages, too.
		_, err = e.ImageInspect(ctx, b.Ref)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// arguments are the Dockerfile's ARGs, and those for a proxy, which every build knows.
func (a AlpineBase) arguments(targets []spec.Target) map[string]*string {
	var words []string
	for _, t := range targets {
		words = append(words, t.Name+":"+t.Triple+":"+t.Alpine)
	}
	values := map[string]string{
		"REGISTRY_PREFIX": a.prefix(),
		"ALPINE_IMAGE":    a.Lock.image(),
		"ALPINE_MIRROR":   a.Mirror,
		"TARGETS":         strings.Join(words, " "),
	}
	for name, value := range a.Proxy {
		values[name] = value
	}
	args := map[string]*string{}
	for name, value := range values {
		args[name] = &value
	}
	return args
}

// eachFile visits the files of the build context in the order of their names.
func (a AlpineBase) eachFile(visit func(name string, text []byte) error) error {
	return fs.WalkDir(a.Spec.Context, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := fs.ReadFile(a.Spec.Context, name)
		if err != nil {
			return err
		}
		return visit(name, text)
	})
}

// writeContext writes the build context: the files of build/alpine, the proxy's
// certificates, and the toolchain with the Input that stands for it.
func (a AlpineBase) writeContext(out io.Writer, toolchain assembled) error {
	w := tar.NewWriter(out)
	add := func(name string, size int64, content io.Reader) error {
		if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o644, Size: size, ModTime: time.Unix(0, 0)}); err != nil {
			return err
		}
		_, err := io.Copy(w, content)
		return err
	}
	addText := func(name string, text []byte) error {
		return add(name, int64(len(text)), strings.NewReader(string(text)))
	}
	input, err := json.Marshal(toolchain.inputs[0])
	if err != nil {
		return err
	}
	if err := errors.Join(a.eachFile(addText), addText("ca.pem", a.CA), addText("go.json", input)); err != nil {
		return err
	}
	size, err := toolchain.layer.Size()
	if err != nil {
		return err
	}
	content, err := toolchain.layer.Uncompressed()
	if err != nil {
		return err
	}
	defer content.Close()
	if err := add("go.tar", size, content); err != nil {
		return err
	}
	return w.Close()
}

// logTail is how many lines of a failed build are shown.
const logTail = 20

var (
	// colour is how Docker marks what a build writes to standard error.
	colour = regexp.MustCompile("\x1b\\[[0-9;]*m")
	// step begins the log of an instruction: Docker's, or podman's.
	step = regexp.MustCompile(`^(?i:step) \d+/`)
	// exitStatus ends the message of a failed RUN: Docker's, or podman's.
	exitStatus = regexp.MustCompile(`(?:non-zero code: |exit status )(\d+)$`)
)

// unreachable is install.sh's exit status when apk cannot fetch.
const unreachable = "4"

// follow reads a build's messages to their end and returns the build's error, if there is
// one, with the end of the failed step's log.
func follow(messages io.Reader) error {
	var log strings.Builder
	for decoder := json.NewDecoder(messages); ; {
		var m struct{ Stream, Error string } // Docker's and podman's alike
		if err := decoder.Decode(&m); err == io.EOF {
			return nil
		} else if err != nil {
			return &fault.Error{Code: fault.Engine, Err: fmt.Errorf("alpine base: the engine's answer broke off: %w", err), Log: tail(log.String())}
		}
		if step.MatchString(m.Stream) {
			log.Reset()
		}
		log.WriteString(colour.ReplaceAllString(m.Stream, ""))
		if m.Error == "" {
			continue
		}
		failed := &fault.Error{Code: fault.Failed, Err: errors.New("alpine base: " + m.Error), Log: tail(log.String())}
		if status := exitStatus.FindStringSubmatch(m.Error); status != nil && status[1] == unreachable {
			failed.Code, failed.Err = fault.Fetch, errors.New("alpine base: its packages cannot be fetched")
			failed.Next = "see that the engine's containers reach the Alpine mirror, name another one or a proxy, or use the debian base"
		}
		return failed
	}
}

// tail is the end of a log, without empty lines.
func tail(log string) string {
	lines := strings.FieldsFunc(log, func(r rune) bool { return r == '\n' || r == '\r' })
	return strings.Join(lines[max(0, len(lines)-logTail):], "\n")
}
