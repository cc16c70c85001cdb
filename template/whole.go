package template

import (
	"context"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/modfile"

	"github.com/tcapflow/tcapflow/template/internal/rename"
)

// whole makes the project a renamed copy of this repository: of the checkout, or of its
// version in git. (The module's zip lacks tools/, which is a module of its own.)
func (n New) whole(ctx context.Context) error {
	source := n.Checkout
	if source == "" {
		clone, err := os.MkdirTemp("", "newtool-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(clone)
		source = filepath.Join(clone, "whole")
		address := "https://" + Library
		if _, err := command(ctx, clone, "git", "clone", "-q", "--depth=1", "--branch="+n.Version,
			address, source); err != nil {
			return fetching(err, "clone "+address+" yourself, and run `mage template:new` there")
		}
	}
	files, err := renamedCopy(ctx, source, n.Dir, n.Project)
	if err != nil {
		return err
	}
	record, err := Record{Version: n.Version, Project: n.Project}.bytes()
	if err != nil {
		return err
	}
	if err := write(n.Dir, map[string][]byte{RecordName: record}); err != nil {
		return err
	}
	return n.finish(ctx, files+1)
}

// renamedCopy copies what git tracks in a checkout to a folder, under the project's name.
func renamedCopy(ctx context.Context, source, dir string, p Project) (count int, err error) {
	old, err := namesOf(source)
	if err != nil {
		return 0, err
	}
	r, err := rename.New(old, rename.Names{Module: p.Module, Program: p.Name, Namespace: p.Name})
	if err != nil {
		return 0, err
	}
	list, err := command(ctx, source, "git", "ls-files", "-z")
	if err != nil {
		return 0, withNext(err, "a whole copy is made of a git checkout")
	}
	for name := range strings.SplitSeq(strings.TrimRight(list, "\x00"), "\x00") {
		if name == RecordName {
			continue // the copy has its own
		}
		if err := copyRenamed(r, source, dir, name); err != nil {
			return 0, err
		}
		count++
	}
	return count, nil
}

// copyRenamed copies one file, with its x bit, or one symbolic link.
func copyRenamed(r *rename.Renamer, source, dir, name string) error {
	from, to := filepath.Join(source, filepath.FromSlash(name)), filepath.Join(dir,
		filepath.FromSlash(r.Path(name)))
	info, err := os.Lstat(from)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	if info.Mode()&os.ModeSymlink != 0 {
		target, err := os.Readlink(from)
		if err != nil {
			return err
		}
		return os.Symlink(r.Path(target), to)
	}
	text, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	if text, err = r.File(name, text); err != nil {
		return err
	}
	return os.WriteFile(to, text, 0o644|info.Mode()&0o111)
}

// namesOf reads what the repository in a folder is called: go.mod, and the literals of
// Project in build/project.go.
func namesOf(dir string) (rename.Names, error) {
	text, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	if err != nil {
		return rename.Names{}, err
	}
	names := rename.Names{Module: modfile.ModulePath(text)}
	file := filepath.Join(dir, "build", "project.go")
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
	if err != nil {
		return names, err
	}
	fields := projectFields(parsed)
	if names.Program = fields["Name"]; names.Program == "" {
		return names, fmt.Errorf("%s: no Name in a spec.Project", file)
	}
	if names.Namespace = fields["Namespace"]; names.Namespace == "" {
		names.Namespace = names.Program
	}
	return names, nil
}

// projectFields are the fields of the first spec.Project in a file that are plain strings.
func projectFields(file *ast.File) map[string]string {
	fields := map[string]string{}
	ast.Inspect(file, func(n ast.Node) bool {
		literal, ok := n.(*ast.CompositeLit)
		if !ok || len(fields) > 0 {
			return len(fields) == 0
		}
		if typ, ok := literal.Type.(*ast.SelectorExpr); !ok || typ.Sel.Name != "Project" {
			return true
		}
		for _, element := range literal.Elts {
			pair, ok := element.(*ast.KeyValueExpr)
			if !ok {
				continue
			}
			key, isIdent := pair.Key.(*ast.Ident)
			value, isLiteral := pair.Value.(*ast.BasicLit)
			if !isIdent || !isLiteral || value.Kind != token.STRING {
				continue
			}
			if text, err := strconv.Unquote(value.Value); err == nil {
				fields[key.Name] = text
			}
		}
		return false
	})
	return fields
}
