package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"github.com/tcapflow/tcapflow/pipeline/internal/packed"
)

// Image opens an image that lies on this host: an OCI layout (a folder), or a file as
// `docker save` writes it. arch is the GOARCH that is wanted of several; empty: the first.
func Image(name, arch string) (v1.Image, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return tarball.ImageFromPath(name, nil)
	}
	index, err := packed.Layout(name)
	if err != nil {
		return nil, err
	}
	img, err := packed.Find(index, func(p *v1.Platform) bool { return arch == "" || p == nil || p.Architecture == arch })
	if err != nil || img != nil {
		return img, err
	}
	known, err := packed.Platforms(index)
	if err != nil {
		return nil, err
	}
	return nil, fmt.Errorf("no image for %s in it; it has %s", arch, strings.Join(known, ", "))
}

// InImage says why a program does not run in an image. Without a name it is what the image
// starts. folder is for what the image holds, for a moment.
func InImage(ctx context.Context, img v1.Image, name, message, folder string) ([]Finding, error) {
	config, err := img.ConfigFile()
	if err != nil {
		return nil, err
	}
	stream := mutate.Extract(img)
	defer stream.Close()
	defer context.AfterFunc(ctx, func() { stream.Close() })()
	tree, err := ReadTree(stream, folder)
	if err != nil {
		return nil, errors.Join(ctx.Err(), err)
	}
	defer tree.Close()
	place := Place{Name: "the image", Root: tree, GOARCH: []string{config.Architecture}, User: config.Config.User, Image: true}
	if name == "" {
		if name = started(tree, config.Config); name == "" {
			return []Finding{{Fail, "entry point", "the image starts nothing", "set ENTRYPOINT, or name a program with -file"}}, nil
		}
	}
	found, err := Program(place, name, message)
	return append(found, ofUser(config.Config.User, message)...), err
}

// started is the path of what the image starts, "" for nothing.
func started(root fs.ReadLinkFS, config v1.Config) string {
	words := slices.Concat(config.Entrypoint, config.Cmd)
	if len(words) == 0 {
		return ""
	}
	if strings.Contains(words[0], "/") {
		return path.Join(config.WorkingDir, words[0])
	}
	paths := "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" // Docker's default
	for _, v := range config.Env {
		if value, ok := strings.CutPrefix(v, "PATH="); ok {
			paths = value
		}
	}
	for folder := range strings.SplitSeq(paths, ":") {
		name := path.Join(folder, words[0])
		if _, err := follow(root, path.Clean("/" + name)[1:]); err == nil {
			return name
		}
	}
	return words[0]
}

// ofUser looks at what a user who is not root may not do, where the message is about that.
func ofUser(user, message string) []Finding {
	root := slices.Contains([]string{"", "0", "root"}, strings.Split(user, ":")[0])
	lower := strings.ToLower(message)
	if root || !strings.Contains(lower, "permission denied") && !strings.Contains(lower, "not permitted") {
		return nil
	}
	return []Finding{{Fail, "user", fmt.Sprintf("the image runs the program as user %s, who has no rights of root", user),
		"give the file what it needs (setcap, --cap-add), or run it with --user 0"}}
}
