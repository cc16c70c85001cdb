package main

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tcapflow/tcapflow/template"
)

func TestWrongUse(t *testing.T) {
	for args, want := range map[string]string{
		"":                                  "needs a folder",
		"-module=example.org/you/yourtool":  "needs a folder",
		"x":                                 "needs a module path",
		"x -module=example.org/you/yy more": `what is ["more"]?`,
		"x -module=example.org/you/yy -clib=glib": `unknown -clib "glib"`,
	} {
		t.Chdir(t.TempDir())
		var known *template.Error
		err := run(t.Context(), strings.Fields(args), &bytes.Buffer{})
		if !errors.As(err, &known) || !known.Usage || !strings.Contains(err.Error(), want) {
			t.Errorf("newtool %s: %v", args, err)
		}
		if left, err := os.ReadDir("."); err != nil || len(left) > 0 {
			t.Errorf("newtool %s left %v, %v", args, left, err)
		}
	}
}

func TestHelp(t *testing.T) {
	var stderr bytes.Buffer
	if err := run(t.Context(), []string{"-h"}, &stderr); !errors.Is(err, flag.ErrHelp) || !strings.Contains(stderr.String(), "-clib") {
		t.Errorf("%v\n%s", err, &stderr)
	}
}

// With a record, the files are made and nothing else: what an update of a later version asks
// this one for. The folder may stand before or after the options.
func TestRecord(t *testing.T) {
	dir := t.TempDir()
	text := `{"version": "v1.2.3", "name": "yourtool", "module": "example.org/you/yourtool", "clib": "zlib"}`
	record := filepath.Join(dir, template.RecordName)
	if err := os.WriteFile(record, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{filepath.Join(dir, "a"), "-record=" + record}, {"-record", record, filepath.Join(dir, "b")}} {
		if err := run(t.Context(), args, &bytes.Buffer{}); err != nil {
			t.Fatal(err)
		}
	}
	for _, made := range []string{"a", "b"} {
		mod, err := os.ReadFile(filepath.Join(dir, made, "go.mod"))
		if err != nil || !strings.Contains(string(mod), template.Library+" v1.2.3") {
			t.Errorf("%s: %v\n%s", made, err, mod)
		}
		if _, err := os.Stat(filepath.Join(dir, made, ".git")); err == nil {
			t.Errorf("%s: a repository was made", made)
		}
	}
}
