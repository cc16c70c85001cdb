package elfcheck

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestReadelf compares the facts of each fixture with what binutils' readelf says of it.
func TestReadelf(t *testing.T) {
	if _, err := exec.LookPath("readelf"); err != nil {
		t.Skip("skipped: readelf (binutils) is not installed")
	}
	for _, g := range []goFixture{goPIE, go386, goS390} {
		t.Run("go-"+g.String(), func(t *testing.T) { compare(t, g.path(t)) })
	}
	t.Run("good", func(t *testing.T) { compare(t, write(t, good(t))) })
	cs := []cFixture{
		{name: "musl-static-pie", musl: "rcrt1.o", args: cHardened},
		{name: "gcc-unstripped", args: "-static-pie -fPIE -Wl,--build-id"},
		{name: "gcc-relr", args: "-static-pie -fPIE -Wl,-z,pack-relative-relocs"},
		{name: "gcc-dt-rpath", args: "-Wl,-rpath,/opt/lib:/opt/lib2 -Wl,--disable-new-dtags"},
	}
	for _, c := range refusedC {
		cs = append(cs, c.cFixture)
	}
	for _, c := range cs {
		t.Run(c.name, func(t *testing.T) { compare(t, c.path(t)) })
	}
	for name, c := range refusedEdits {
		if strings.Contains(name, "hidden") || name == "empty-relro" {
			continue // readelf believes what the kernel does not, and counts an empty segment
		}
		t.Run(name, func(t *testing.T) {
			e, w := newEdit(t, good(t)), wantPIE()
			c.edit(e, &w)
			compare(t, write(t, e.b))
		})
	}
}

// TestReadelfArtifacts compares the facts of every artifact that is built with readelf's.
func TestReadelfArtifacts(t *testing.T) {
	if _, err := exec.LookPath("readelf"); err != nil {
		t.Skip("skipped: readelf (binutils) is not installed")
	}
	built, err := filepath.Glob("../out/linux_*/*")
	if err != nil || len(built) == 0 {
		t.Skip("skipped: nothing is built in out/; run `mage static` first")
	}
	for _, path := range built {
		t.Run(filepath.Base(filepath.Dir(path)), func(t *testing.T) { compare(t, path) })
	}
}

func compare(t *testing.T, path string) {
	t.Helper()
	got, err := Inspect(path)
	if err != nil {
		t.Fatal(err)
	}
	want := readelf(t, path)
	for _, field := range []string{
		"Class", "ByteOrder", "Machine", "Type", "Interp", "Dynamic", "Needed", "Rpath", "Runpath", "PIE",
		"TextRel", "Relro", "BindNow", "WX", "HasStackHeader", "ExecStack", "StackSize", "Stripped", "BuildID",
	} {
		g := reflect.ValueOf(got).FieldByName(field).Interface()
		w := reflect.ValueOf(want).FieldByName(field).Interface()
		if !reflect.DeepEqual(g, w) {
			t.Errorf("%s: %v, readelf says %v", field, g, w)
		}
	}
	if got.Machine != want.Machine {
		return // names of relocations are the machine's
	}
	if g, w := plainRelocations(got), readelfRelocations(t, path, got.Dynamic); !maps.Equal(g, w) {
		t.Errorf("relocations: %v, readelf says %v", g, w)
	}
}

// plainRelocations are the facts with the names that binutils has.
func plainRelocations(f Facts) map[string]uint64 {
	all := map[string]uint64{}
	for name, n := range f.Relocations.Others {
		name, _, _ = strings.Cut(name, " in ")
		all[strings.Replace(name, "_JMP_", "_JUMP_", 1)] += n
	}
	if f.Relocations.Relative > 0 {
		all["RELATIVE"] = f.Relocations.Relative
	}
	return all
}

var (
	readelfReloc = regexp.MustCompile(`(?m)^[0-9a-f]+ +[0-9a-f]+ (R_\w+|unrecognized: +([0-9a-f]+))`)
	readelfRelr  = regexp.MustCompile(`(?m)^ +(\d+) offsets$`)
)

// readelfRelocations has the dynamic table for its source, or section headers where there is no such table.
func readelfRelocations(t *testing.T, path string, dynamic bool) map[string]uint64 {
	t.Helper()
	flags := "-rW"
	if dynamic {
		flags = "-rDW"
	}
	out, _ := exec.Command("readelf", flags, path).Output()
	all := map[string]uint64{}
	for _, m := range readelfReloc.FindAllStringSubmatch(string(out), -1) {
		name := m[1]
		if n, err := strconv.ParseUint(m[2], 16, 32); err == nil {
			name = fmt.Sprintf("type %d", n)
		}
		if strings.HasSuffix(name, "_RELATIVE") {
			name = "RELATIVE"
		}
		all[strings.Replace(name, "_JMP_", "_JUMP_", 1)]++
	}
	for _, m := range readelfRelr.FindAllStringSubmatch(string(out), -1) {
		n, err := strconv.ParseUint(m[1], 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		all["RELATIVE"] += n
	}
	return all
}

var (
	readelfProg = regexp.MustCompile(`(?m)^  (\w+) +0x\w+ +0x\w+ +0x\w+ +0x\w+ +(0x\w+) +([RWE ]{3}) `)
	readelfDyn  = regexp.MustCompile(`(?m)^ 0x\w+ \((\w+)\) +(.*)$`)
	bracketed   = regexp.MustCompile(`\[(.*)\]`)
)

// readelf is the facts as its text output gives them.
func readelf(t *testing.T, path string) (f Facts) {
	t.Helper()
	cmd := exec.Command("readelf", "-hlSdnW", path)
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	out, _ := cmd.Output() // it exits 1 on mere doubts, and is none the less right on what it prints
	text := string(out)
	field := func(name string) string {
		m := regexp.MustCompile(`(?m)^ *` + name + `: +(.*)$`).FindStringSubmatch(text)
		if m == nil {
			return ""
		}
		return strings.TrimSpace(m[1])
	}
	f.Class = strings.Replace(field("Class"), "ELF", "ELFCLASS", 1)
	f.ByteOrder = "ELFDATA2MSB"
	if strings.Contains(field("Data"), "little") {
		f.ByteOrder = "ELFDATA2LSB"
	}
	f.Type = "ET_" + strings.Fields(field("Type"))[0]
	f.Machine = map[string]string{
		"Advanced Micro Devices X86-64": "EM_X86_64", "Intel 80386": "EM_386", "AArch64": "EM_AARCH64",
		"IBM S/390": "EM_S390", "ARM": "EM_ARM", "RISC-V": "EM_RISCV", "PowerPC64": "EM_PPC64",
	}[field("Machine")]
	if m := regexp.MustCompile(`Build ID: (\w+)`).FindStringSubmatch(text); m != nil {
		f.BuildID = m[1]
	}
	f.Interp = strings.TrimSuffix(field(`\[Requesting program interpreter`), "]")
	f.Stripped = !strings.Contains(text, " SYMTAB ") && !strings.Contains(text, " .debug_")
	readelfSegments(t, text, &f)
	readelfDynamic(text, &f)
	return f
}

func readelfSegments(t *testing.T, text string, f *Facts) {
	for _, m := range readelfProg.FindAllStringSubmatch(text, -1) {
		typ, flags := m[1], m[3]
		memsz, err := strconv.ParseUint(m[2], 0, 64)
		if err != nil {
			t.Fatal(err)
		}
		switch typ {
		case "LOAD":
			f.WX = f.WX || strings.Contains(flags, "W") && strings.Contains(flags, "E")
		case "DYNAMIC":
			f.Dynamic = true
		case "GNU_RELRO":
			f.Relro = true
		case "GNU_STACK":
			if !f.HasStackHeader || memsz < f.StackSize {
				f.StackSize = memsz
			}
			f.HasStackHeader = true
			f.ExecStack = f.ExecStack || strings.Contains(flags, "E")
		}
	}
}

func readelfDynamic(text string, f *Facts) {
	for _, m := range readelfDyn.FindAllStringSubmatch(text, -1) {
		tag, value := m[1], m[2]
		words := strings.Fields(value)
		name := ""
		if b := bracketed.FindStringSubmatch(value); b != nil {
			name = b[1]
		}
		switch tag {
		case "NEEDED", "FILTER", "AUXILIARY":
			f.Needed = append(f.Needed, name)
		case "RPATH":
			f.Rpath = append(f.Rpath, name)
		case "RUNPATH":
			f.Runpath = append(f.Runpath, name)
		case "TEXTREL":
			f.TextRel = true
		case "BIND_NOW":
			f.BindNow = true
		case "FLAGS":
			f.TextRel = f.TextRel || slices.Contains(words, "TEXTREL")
			f.BindNow = f.BindNow || slices.Contains(words, "BIND_NOW")
		case "FLAGS_1":
			f.BindNow = f.BindNow || slices.Contains(words, "NOW")
			f.PIE = f.Type == "ET_DYN" && slices.Contains(words, "PIE")
		}
	}
}
