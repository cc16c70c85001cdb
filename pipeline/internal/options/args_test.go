package options

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/tcapflow/tcapflow/build"
)

// Every field of Args has its row, under its own name, and no row is left over.
func TestEveryOptionHasItsRow(t *testing.T) {
	var a Args
	rows := a.table()
	fields := reflect.ValueOf(&a).Elem()
	for i := range fields.NumField() {
		at, name := fields.Field(i).Addr().Interface(), strings.ToLower(fields.Type().Field(i).Name)
		is := func(r row) bool { return r.Name == name && (any(r.text) == at || any(r.flag) == at) }
		if !slices.ContainsFunc(rows, is) {
			t.Errorf("-%s has no row", name)
		}
	}
	if len(rows) != fields.NumField() {
		t.Errorf("%d rows of %d options", len(rows), fields.NumField())
	}
	for _, r := range rows {
		if r.Meaning == "" {
			t.Errorf("-%s means nothing", r.Name)
		}
	}
}

// What was given is told from what a variable says.
func TestFlags(t *testing.T) {
	environment(t, map[string]string{"TCAPFLOW_BASE": "debian"})
	base := func(a Args) Option {
		list := Flags(build.Project, a)
		return list[slices.IndexFunc(list, func(o Option) bool { return o.Name == "base" })]
	}
	if o := base(Args{}); o.Set != "debian" || o.From != "TCAPFLOW_BASE" {
		t.Errorf("by the variable: %+v", o)
	}
	alpine := "alpine"
	if o := base(Args{Base: &alpine}); o.Set != "alpine" || o.From != "command line" {
		t.Errorf("by the command line: %+v", o)
	}
}

// No room reads a variable by name that is not in the table. What a program of ours reads
// that GoReleaser starts is no setting of a user's.
func TestEveryVariableIsListed(t *testing.T) {
	known := Variables(build.Project)
	found := 0
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "testdata" || d.Name() == "handoff"):
			return fs.SkipDir
		case d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go"):
			return nil
		}
		for _, name := range readIn(t, path) {
			found++
			if !slices.ContainsFunc(known, func(v Variable) bool { return v.Name == name }) {
				t.Errorf("%s reads %s, which is not in the table of variables", path, name)
			}
		}
		return nil
	})
	if err != nil || found == 0 {
		t.Errorf("%d variables are read, %v", found, err)
	}
}

// readIn are the names that a file hands to os.Getenv and os.LookupEnv as they are.
func readIn(t *testing.T, path string) (names []string) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok || len(call.Args) != 1 {
			return true
		}
		called, ok := call.Fun.(*ast.SelectorExpr)
		if !ok || called.Sel.Name != "Getenv" && called.Sel.Name != "LookupEnv" {
			return true
		}
		if text, ok := call.Args[0].(*ast.BasicLit); ok {
			name, err := strconv.Unquote(text.Value)
			if err != nil {
				t.Error(err)
			}
			names = append(names, name)
		}
		return true
	})
	return names
}
