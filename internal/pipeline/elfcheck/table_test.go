package elfcheck

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"testing"
)

func TestTable(t *testing.T) {
	static := Facts{
		Machine: "EM_X86_64", Type: "ET_DYN", PIE: true, Relro: true, BindNow: true,
		HasStackHeader: true, StackSize: 1 << 20, Go: &GoFacts{Version: "go1.26.8"},
	}
	dynamic := Facts{Machine: "EM_AARCH64", Type: "ET_DYN", PIE: true, Interp: "/lib/ld.so", HasStackHeader: true}
	fixed := Facts{Machine: "EM_386", Type: "ET_EXEC", HasStackHeader: true, ExecStack: true, StackSize: 128 << 10}
	rows := []Row{
		{File: "out/linux_amd64/tcapflow-client", Facts: static, Findings: Static(static)},
		{File: "a.out", Facts: dynamic, Findings: Static(dynamic)},
		{File: "old", Facts: fixed, Findings: append(Static(fixed), Finding{Rule: "buildinfo"}, Finding{Rule: "buildinfo"})},
		{File: "bad\x1b[2Jname\n", Err: errors.New("not a readable ELF file: cut short within its headers")},
	}
	var plain, colour bytes.Buffer
	if err := errors.Join(Table(&plain, rows, false), Table(&colour, rows, true)); err != nil {
		t.Fatal(err)
	}
	const golden = "testdata/table.golden"
	if *update {
		if err := os.WriteFile(golden, plain.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(plain.Bytes(), want) {
		t.Errorf("got\n%s\nwant (-update rewrites it)\n%s", &plain, want)
	}
	bare := strings.NewReplacer("\x1b[31m", "", "\x1b[32m", "", "\x1b[0m", "").Replace(colour.String())
	if bare != plain.String() || bare == colour.String() {
		t.Errorf("colour changes the words:\n%s", &colour)
	}
}
