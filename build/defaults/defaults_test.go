package defaults

import (
	"bytes"
	"debug/elf"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/tcapflow/tcapflow/build/debian"
	"github.com/tcapflow/tcapflow/spec"
)

var update = flag.Bool("update", false, "write docs/targets.md anew")

// TestTargetsPage keeps docs/targets.md equal to the tables, so that a change of the
// matrix is seen in a diff.
func TestTargetsPage(t *testing.T) {
	const page = "../../docs/targets.md"
	got := targetsPage()
	if *update {
		if err := os.WriteFile(page, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is not what the tables say; `go test ./build/defaults -update` writes it anew:\n%s", page, got)
	}
}

func targetsPage() []byte {
	var out bytes.Buffer
	fmt.Fprint(&out, "<!-- Generated from build/defaults/targets.go by `go test ./build/defaults -update`. -->\n\n# Targets\n\n",
		"What `mage static` builds: static binaries on musl, each compiled and linked by one native clang\n",
		"against the sysroot of its target. `mage static -targets=linux/arm64,linux/386` builds some of them.\n\n",
		"| Target | ELF | Triple | Debian | Alpine | Form | C flags |\n| --- | --- | --- | --- | --- | --- | --- |\n")
	for _, target := range built {
		form := "static-PIE"
		if target.NonPIE != "" {
			form = "fixed address: " + target.NonPIE
		}
		flags := ""
		if len(target.CFlags) > 0 {
			flags = "`" + strings.Join(target.CFlags, " ") + "`"
		}
		row := []string{"`" + target.Name + "`", fmt.Sprintf("%s, %s", width(target.Class), order(target.Data)), "`" + target.Triple + "`", target.Debian, target.Alpine, form, flags}
		fmt.Fprintln(&out, strings.TrimRight("| "+strings.Join(row, " | "), " ")+" |")
	}
	fmt.Fprint(&out, "\n## Left out\n\nGo builds for these, we do not.\n\n| Target | Reason |\n| --- | --- |\n")
	for _, name := range slices.Sorted(maps.Keys(leftOut)) {
		fmt.Fprintf(&out, "| `%s` | %s |\n", name, leftOut[name])
	}
	return out.Bytes()
}

func width(c elf.Class) string {
	return map[elf.Class]string{elf.ELFCLASS32: "32-bit", elf.ELFCLASS64: "64-bit"}[c]
}

func order(d elf.Data) string {
	return map[elf.Data]string{elf.ELFDATA2LSB: "little-endian", elf.ELFDATA2MSB: "big-endian"}[d]
}

func TestTargets(t *testing.T) {
	optional := map[string]bool{"GOARM": true, "CFlags": true, "NonPIE": true}
	for _, target := range built {
		v := reflect.ValueOf(target)
		for i := range v.NumField() {
			if field := v.Type().Field(i).Name; v.Field(i).IsZero() && !optional[field] {
				t.Errorf("%s: %s is not set", target.Name, field)
			}
		}
		name := "linux/" + target.GOARCH
		if target.GOARM != "" {
			name += "/v" + target.GOARM
		}
		if target.Name != name || (target.GOARCH == "arm") != (target.GOARM != "") {
			t.Errorf("%s: GOARCH and GOARM say %s", target.Name, name)
		}
		if reason, ok := leftOut[target.Name]; ok {
			t.Errorf("%s is built, and left out: %s", target.Name, reason)
		}
		if !strings.Contains(target.Triple, "-linux-musl") {
			t.Errorf("%s: %s is not of musl", target.Name, target.Triple)
		}
		if !slices.Contains(debian.Base.Sysroot.Arches, target.Debian) {
			t.Errorf("%s: no sysroot is locked for Debian's %s", target.Name, target.Debian)
		}
	}
	unique(t, "name", built, func(t spec.Target) string { return t.Name })
	unique(t, "folder", built, spec.Target.Dir)
	unique(t, "triple", built, func(t spec.Target) string { return t.Triple })
	unique(t, "Debian architecture", built, func(t spec.Target) string { return t.Debian })
	unique(t, "Alpine architecture", built, func(t spec.Target) string { return t.Alpine })
	unique(t, "QEMU name", built, func(t spec.Target) string { return t.QEMU })
	for _, arch := range debian.Base.Sysroot.Arches {
		if !slices.ContainsFunc(built, func(t spec.Target) bool { return t.Debian == arch }) {
			t.Errorf("a sysroot is locked for %s, which no target has", arch)
		}
	}
}

// Each Linux port of Go is built, or stands in leftOut with its reason. The go command
// is the oracle.
func TestEveryPort(t *testing.T) {
	list, err := exec.Command("go", "tool", "dist", "list").Output()
	if err != nil {
		t.Skipf("go tool dist list: %v", err)
	}
	ports := map[string]bool{}
	for port := range strings.FieldsSeq(string(list)) {
		if strings.HasPrefix(port, "linux/") {
			ports[port] = true
		}
	}
	ours := slices.Concat(spec.Names(built), slices.Collect(maps.Keys(leftOut)))
	for port := range ports {
		if !slices.ContainsFunc(ours, func(name string) bool { return name == port || strings.HasPrefix(name, port+"/") }) {
			t.Errorf("Go has %s, which is neither built nor left out with a reason", port)
		}
	}
	for _, name := range ours {
		if words := strings.Split(name, "/"); !ports[words[0]+"/"+words[1]] {
			t.Errorf("Go has no %s", name)
		}
	}
}

// A reason may refer to another one, which must be there.
func TestReasons(t *testing.T) {
	for name, reason := range leftOut {
		if other, refers := strings.CutPrefix(reason, "as "); reason == "" || refers && leftOut[other] == "" {
			t.Errorf("%s: no reason: %q", name, reason)
		}
	}
	for _, set := range Fill(spec.Project{}).Locked() {
		for name, reason := range set.Skip {
			if reason == "" || slices.Contains(set.Packages, name) {
				t.Errorf("set %s: %s is skipped for %q, and listed: %t", set.Name, name, reason, slices.Contains(set.Packages, name))
			}
		}
	}
}

func TestPackageSets(t *testing.T) {
	unique(t, "set", Fill(spec.Project{}).Locked(), func(s spec.PackageSet) string { return s.Name })
	for _, set := range Fill(spec.Project{}).Locked() {
		if len(set.Arches) == 0 || len(set.Packages) == 0 {
			t.Errorf("set %s is empty", set.Name)
		}
		unique(t, "package", set.Packages, func(p string) string { return p })
		unique(t, "architecture", set.Arches, func(a string) string { return a })
	}
}

func TestDistros(t *testing.T) {
	unique(t, "distro", Distros, func(d spec.Distro) string { return d.Name })
	for _, d := range Distros {
		sources := 0
		for _, s := range []string{d.Packed, d.Suite, d.Image} {
			if s != "" {
				sources++
			}
		}
		if sources != 1 {
			t.Errorf("%s: %d of Packed, Suite and Image are set", d.Name, sources)
		}
		if _, err := Targets.Select(strings.Join(d.Targets, ",")); err != nil || len(d.Targets) == 0 {
			t.Errorf("%s: targets %v: %v", d.Name, d.Targets, err)
		}
		unique(t, d.Name+"'s target", d.Targets, func(name string) string { return name })
	}
}

// unique fails the test where two rows of a table have the same value.
func unique[T any](t *testing.T, what string, rows []T, of func(T) string) {
	t.Helper()
	seen := map[string]bool{}
	for _, row := range rows {
		if value := of(row); value == "" || seen[value] {
			t.Errorf("%s %q is empty or stands there twice", what, value)
		} else {
			seen[value] = true
		}
	}
}
