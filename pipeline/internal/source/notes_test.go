package source

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tcapflow/tcapflow/pipeline/internal/fault"
)

// What does not go into the builder as it lies there is said in a line each.
func TestNotes(t *testing.T) {
	c := newCheckout(t)
	const spec = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"
	for name, text := range map[string]string{
		"go.mod": "module m\n", "go.work": "go 1.26\n", ".gitattributes": "*.bin filter=lfs\n",
		"data/a.bin": spec, "data/b.bin": spec, "data/c.bin": "content", "d.txt": "short",
	} {
		c.write(name, text, 0o644)
	}
	for name, target := range map[string]string{"in": "data/a.bin", "data/up": "../d.txt", "out": "../x", "abs": "/etc/passwd"} {
		if err := os.Symlink(target, filepath.Join(c.root, filepath.FromSlash(name))); err != nil {
			t.Fatal(err)
		}
	}
	tree, err := Read(t.Context(), c.root)
	if err != nil {
		t.Fatal(err)
	}
	lines, err := tree.Notes()
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"go.work is not read: what is built is what go.mod says",
		"warning: symbolic links lead out of the checkout and nowhere in the builder: abs → /etc/passwd and 1 more",
		"warning: files are pointers of Git LFS, without their content (`git lfs pull` fetches it): data/a.bin and 1 more",
	}
	if !slices.Equal(lines, want) {
		t.Errorf("got\n%s", strings.Join(lines, "\n"))
	}
}

// A module that is replaced by a folder of the checkout is built from there; one outside
// cannot be, which is said by its name. What no package of the program needs does not count:
// the pipeline itself may be replaced so.
func TestReplaced(t *testing.T) {
	for _, c := range []struct{ folder, imports, says string }{
		{"./x", "x", ""},
		{"./x/../y", "x", ""},
		{"../x", "x", "replaces example.com/x by ../x, which is outside of the checkout"},
		{"../x", "", ""},
	} {
		root := newCheckout(t)
		inner := checkout{t, filepath.Join(root.root, filepath.FromSlash(c.folder))}
		inner.write("go.mod", "module example.com/x\n\ngo 1.26\n", 0o644)
		inner.write("x.go", "package x\n", 0o644)
		root.write("go.mod", "module m\n\ngo 1.26\n\nrequire example.com/x v0.0.0\n\nreplace example.com/x => "+c.folder+"\n", 0o644)
		text := "package main\n\nfunc main() {}\n"
		if c.imports != "" {
			text = "package main\n\nimport _ \"example.com/x\"\n\nfunc main() {}\n"
		}
		root.write("main.go", text, 0o644)
		tree, err := Read(t.Context(), root.root)
		if err != nil {
			t.Fatal(err)
		}
		_, err = tree.Modules(t.Context(), []Package{{Main: ".", GOARCH: "amd64"}})
		var known *fault.Error
		if (err == nil) != (c.says == "") || err != nil &&
			(!errors.As(err, &known) || known.Code != fault.Usage || !strings.Contains(err.Error(), c.says)) {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

// Of a folder of the checkout nothing is downloaded.
func TestReplacedIsNotDownloaded(t *testing.T) {
	c := newCheckout(t)
	c.write("go.mod", "module m\n\ngo 1.26\n\nrequire example.com/x v0.0.0\n\nreplace example.com/x => ./x\n", 0o644)
	c.write("main.go", "package main\n\nimport _ \"example.com/x\"\n\nfunc main() {}\n", 0o644)
	c.write("x/go.mod", "module example.com/x\n\ngo 1.26\n", 0o644)
	c.write("x/x.go", "package x\n", 0o644)
	t.Setenv("GOPROXY", "off")
	tree, err := Read(t.Context(), c.root)
	if err != nil {
		t.Fatal(err)
	}
	modules, err := tree.Modules(t.Context(), []Package{{Main: ".", GOARCH: "amd64"}})
	if err != nil || len(modules) != 0 {
		t.Errorf("%v, %v", modules, err)
	}
}
