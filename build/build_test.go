package build

import (
	"bytes"
	"cmp"
	"debug/elf"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write docs/targets.md anew")

// TestTargetsPage keeps docs/targets.md equal to the tables, so that a change of the
// matrix is seen in a diff.
func TestTargetsPage(t *testing.T) {
	const page = "../docs/targets.md"
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
		t.Errorf("%s is not what the tables say; `go test ./build -update` writes it anew:\n%s", page, got)
	}
}

func targetsPage() []byte {
	var out bytes.Buffer
	fmt.Fprint(&out, "<!-- Generated from build/targets.go by `go test ./build -update`. -->\n\n# Targets\n\n",
		"What `mage static` builds: static binaries on musl, each compiled and linked by one native clang\n",
		"against the sysroot of its target. `mage static -targets=linux/arm64,linux/386` builds some of them.\n\n",
		"| Target | ELF | Triple | Debian | Alpine | Form | C flags |\n| --- | --- | --- | --- | --- | --- | --- |\n")
	for _, target := range Targets {
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
	for _, name := range slices.Sorted(maps.Keys(LeftOut)) {
		fmt.Fprintf(&out, "| `%s` | %s |\n", name, LeftOut[name])
	}
	return out.Bytes()
}

func width(c elf.Class) string {
	return map[elf.Class]string{elf.ELFCLASS32: "32-bit", elf.ELFCLASS64: "64-bit"}[c]
}

func order(d elf.Data) string {
	return map[elf.Data]string{elf.ELFDATA2LSB: "little-endian", elf.ELFDATA2MSB: "big-endian"}[d]
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

func TestTargets(t *testing.T) {
	optional := map[string]bool{"GOARM": true, "CFlags": true, "NonPIE": true}
	for _, target := range Targets {
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
		if reason, ok := LeftOut[target.Name]; ok {
			t.Errorf("%s is built, and left out: %s", target.Name, reason)
		}
		if !strings.Contains(target.Triple, "-linux-musl") {
			t.Errorf("%s: %s is not of musl", target.Name, target.Triple)
		}
		if !slices.Contains(Sysroot.Arches, target.Debian) {
			t.Errorf("%s: no sysroot is locked for Debian's %s", target.Name, target.Debian)
		}
	}
	unique(t, "name", Targets, func(t Target) string { return t.Name })
	unique(t, "folder", Targets, Target.Dir)
	unique(t, "triple", Targets, func(t Target) string { return t.Triple })
	unique(t, "Debian architecture", Targets, func(t Target) string { return t.Debian })
	unique(t, "Alpine architecture", Targets, func(t Target) string { return t.Alpine })
	unique(t, "QEMU name", Targets, func(t Target) string { return t.QEMU })
	for _, arch := range Sysroot.Arches {
		if !slices.ContainsFunc(Targets, func(t Target) bool { return t.Debian == arch }) {
			t.Errorf("a sysroot is locked for %s, which no target has", arch)
		}
	}
}

// Each Linux port of Go is built, or stands in LeftOut with its reason. The go command
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
	ours := slices.Concat(Names(Targets), slices.Collect(maps.Keys(LeftOut)))
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
	for name, reason := range LeftOut {
		if other, refers := strings.CutPrefix(reason, "as "); reason == "" || refers && LeftOut[other] == "" {
			t.Errorf("%s: no reason: %q", name, reason)
		}
	}
	for _, set := range Locked {
		for name, reason := range set.Skip {
			if reason == "" || slices.Contains(set.Packages, name) {
				t.Errorf("set %s: %s is skipped for %q, and listed: %t", set.Name, name, reason, slices.Contains(set.Packages, name))
			}
		}
	}
}

func TestSelect(t *testing.T) {
	got, err := Select(" linux/s390x ,linux/amd64")
	if err != nil || strings.Join(Names(got), " ") != "linux/amd64 linux/s390x" {
		t.Errorf("%v, %v", Names(got), err)
	}
	if got, err := Select(""); err != nil || len(got) != len(Targets) {
		t.Errorf("all: %v, %v", Names(got), err)
	}
	for names, want := range map[string]string{"linux/mips64": "left out: as linux/mips", "linux": "known: linux/amd64, ", "linux/*": "unknown target"} {
		if got, err := Select(names); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, %v", names, Names(got), err)
		}
	}
	if got := (Target{Name: "linux/arm/v7"}).Dir(); got != "linux_arm_v7" {
		t.Errorf("folder %s", got)
	}
}

func TestPackageSets(t *testing.T) {
	unique(t, "set", Locked, func(s PackageSet) string { return s.Name })
	for _, set := range Locked {
		if len(set.Arches) == 0 || len(set.Packages) == 0 {
			t.Errorf("set %s is empty", set.Name)
		}
		unique(t, "package", set.Packages, func(p string) string { return p })
		unique(t, "architecture", set.Arches, func(a string) string { return a })
	}
}

func TestProject(t *testing.T) {
	p := TcapflowClient
	if p.Name == "" || p.Summary == "" || p.Stamp.Version == "" {
		t.Errorf("%+v", p)
	}
	if sources, err := filepath.Glob(filepath.Join("..", p.Main, "*.go")); err != nil || len(sources) == 0 || !strings.HasPrefix(p.Main, "./") {
		t.Errorf("main package %s: %v", p.Main, cmp.Or(err, os.ErrNotExist))
	}
	unique(t, "library", p.Libraries, func(l Library) string { return l.Name })
	for _, l := range p.Libraries {
		if !regexp.MustCompile("^[0-9a-f]{64}$").MatchString(l.SHA256) || l.Licence == "" || l.Version == "" || len(l.URLs) == 0 {
			t.Errorf("%s: version, licence, URLs or SHA-256 are missing", l.Name)
		}
		for _, url := range l.URLs {
			if !strings.Contains(url, l.Version) || !(strings.HasPrefix(url, "https://") || strings.HasPrefix(url, "{debian}/")) {
				t.Errorf("%s: %s is not version %s, or not over TLS", l.Name, url, l.Version)
			}
		}
		if !strings.Contains(l.Build, "$DESTDIR/usr") {
			t.Errorf("%s: its build installs nothing", l.Name)
		}
	}
}

func TestDistros(t *testing.T) {
	unique(t, "distro", Distros, func(d Distro) string { return d.Name })
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
		if _, err := Select(strings.Join(d.Targets, ",")); err != nil || len(d.Targets) == 0 {
			t.Errorf("%s: targets %v: %v", d.Name, d.Targets, err)
		}
		unique(t, d.Name+"'s target", d.Targets, func(name string) string { return name })
	}
}
