package elfcheck

import (
	"bytes"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
)

// judged are files of every verdict.
func judged() []Row {
	static := Facts{
		Machine: "EM_X86_64", Type: "ET_DYN", PIE: true, Relro: true, BindNow: true,
		HasStackHeader: true, StackSize: 1 << 20, Go: &GoFacts{Version: "go1.26.8"},
	}
	dynamic := Facts{
		Machine: "EM_AARCH64", Type: "ET_DYN", PIE: true, Interp: "/lib/ld.so", HasStackHeader: true,
		Needed: []string{"libc.so.6", "libz.so.1"}, Rpath: []string{"/opt/lib"},
	}
	fixed := Facts{Machine: "EM_386", Type: "ET_EXEC", HasStackHeader: true, ExecStack: true,
		StackSize: 128 << 10}
	library := Facts{Machine: "EM_ARM", Type: "ET_DYN"}
	leak := Finding{"host-path", "a path"}
	return []Row{
		{File: "out/linux_amd64/your-program", Facts: static, Findings: Static(static),
			Allowed: []Exception{{Allowed{"/home/maria/lib", "libx.a is built there"}, 2}}},
		{File: "a.out", Facts: dynamic, Findings: Static(dynamic)},
		{File: "libx.so", Facts: library, Findings: Static(library)},
		{File: "fixed", Facts: fixed, Findings: Static(fixed)},
		{File: "old", Facts: fixed,
			Findings: append(Static(fixed), Finding{"buildinfo", "a"}, Finding{"buildinfo", "b"})},
		{File: "leaky", Facts: static, Findings: []Finding{leak}},
		{File: "script.sh", Err: NotProgram(`a script (it runs with "/bin/sh")`)},
		{File: "bad\x1b[2Jname\n", Err: errors.New("a damaged ELF file: cut short within its headers")},
	}
}

// golden compares with a file, which -update rewrites.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	name = "testdata/" + name
	if *update {
		if err := os.WriteFile(name, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("got\n%s\nwant (-update rewrites it)\n%s", got, want)
	}
}

func TestTable(t *testing.T) {
	var plain, colour bytes.Buffer
	if err := errors.Join(Table(&plain, judged(), false), Table(&colour, judged(), true)); err != nil {
		t.Fatal(err)
	}
	golden(t, "table.golden", plain.Bytes())
	bare := strings.NewReplacer("\x1b[31m", "", "\x1b[32m", "", "\x1b[0m", "").Replace(colour.String())
	if bare != plain.String() || bare == colour.String() {
		t.Errorf("colour changes the words:\n%s", &colour)
	}
}

func TestExplain(t *testing.T) {
	lines := []string{Summary(judged())}
	for _, r := range judged() {
		explained := r.Explain()
		if oneLine := !r.Verdict().Static; oneLine && len(explained) != 1 {
			t.Errorf("%s is not static, which takes %d lines", r.File, len(explained))
		}
		lines = append(lines, explained...)
	}
	golden(t, "explain.golden", []byte(strings.Join(lines, "\n")+"\n"))
}

func TestSummary(t *testing.T) {
	rows := judged()
	for want, some := range map[string][]Row{
		"":                            rows[:1],
		"1 of 1 file is not static":   rows[1:2],
		"2 of 3 files are not static": rows[:3],
		"1 of 2 files is static, but not hardened":               {rows[0], rows[3]},
		"1 of 1 file is static and hardened, but not as planned": rows[5:6],
	} {
		if got := Summary(some); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// Each rule has its verdict; a new one is about being static until it is listed elsewhere.
func TestJudge(t *testing.T) {
	for _, rule := range slices.Concat(hardening, planning, []string{"interp", "new"}) {
		got := Judge([]Finding{{Rule: rule}})
		hard, plan := slices.Contains(hardening, rule), slices.Contains(planning, rule)
		want := Verdict{Static: hard || plan, Hardened: !hard, Planned: !plan}
		if got != want || got.String() == "ok" {
			t.Errorf("%s: %+v, want %+v", rule, got, want)
		}
	}
}
