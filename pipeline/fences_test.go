package pipeline

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// TestFences plants every import that .depguard.yaml denies in every package of the house,
// in a copy that has nothing else, and compares what depguard refuses with what
// CONTRIBUTING.md says. A glob that matches nothing lets all of its plants pass.
func TestFences(t *testing.T) {
	if os.Getenv("TCAPFLOW_TEST_TOOLS") != "1" {
		t.Skip("skipped: compiles depguard: set TCAPFLOW_TEST_TOOLS=1")
	}
	house := plantHouse(t, "..")
	got := house.refused(t)
	want := house.wanted()
	if len(want) == 0 {
		t.Fatal("nothing is planted")
	}
	for _, v := range want {
		if !slices.Contains(got, v) {
			t.Errorf("not refused: %v", v)
		}
	}
	for _, v := range got {
		if !slices.Contains(want, v) {
			t.Errorf("refused, but allowed: %v", v)
		}
	}
	house.eachEntryBites(t, got)
}

// planting is a copy of the house in which every package breaks every rule.
type planting struct {
	root, dir, module string
	packages          []string // folders, relative, with slashes
}

// violation is an import that a list of .depguard.yaml refuses.
type violation struct{ file, imports, list string }

// leaf is a package that is imported and imports nothing, so that there are no cycles.
const leaf = "leaf"

// leafFolders have such a package each.
var leafFolders = []string{"internal", "pipeline", "build", "spec", "elfcheck"}

// engineModules talk to a container engine.
var engineModules = []string{"github.com/testcontainers", "github.com/moby", "github.com/docker/cli"}

// engineRooms may do so.
var engineRooms = []string{"engine", "image", "builder", "bench", "distro"}

// testPlants have a test file as well, for which the rule of the engine does not count.
// They are two, because each is compiled, and so is a program to run it.
var testPlants = []string{"internal/pcap", "pipeline/internal/release"}

func plantHouse(t *testing.T, root string) *planting {
	t.Helper()
	root, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	_, module, err := goMod(root)
	if err != nil {
		t.Fatal(err)
	}
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	p := &planting{root: root, dir: dir, module: module}
	p.packages = packagesBelow(t, root, "build", "catalogue", "cmd", "elfcheck", "internal", "magefiles", "pipeline", "scenario", "spec", "template")
	rules, err := os.ReadFile(filepath.Join(root, ".depguard.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	p.write(t, ".depguard.yaml", string(rules))
	p.plantModules(t)
	for _, dir := range leafFolders {
		p.write(t, path.Join(dir, leaf, "leaf.go"), "package leaf\n")
	}
	for _, dir := range p.packages {
		p.write(t, path.Join(dir, "planted.go"), p.source())
	}
	for _, dir := range testPlants {
		p.write(t, path.Join(dir, "planted_test.go"), p.source())
	}
	return p
}

// packagesBelow lists the folders that hold Go files.
func packagesBelow(t *testing.T, root string, tops ...string) (found []string) {
	t.Helper()
	for _, top := range tops {
		err := filepath.WalkDir(filepath.Join(root, top), func(name string, d fs.DirEntry, err error) error {
			if d != nil && d.Name() == "testdata" {
				return filepath.SkipDir // the go command passes it over, too
			}
			if err != nil || filepath.Ext(name) != ".go" {
				return err
			}
			rel, err := filepath.Rel(root, filepath.Dir(name))
			found = append(found, filepath.ToSlash(rel))
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// plantModules writes go.mod, with an empty module in the place of each that is denied.
func (p *planting) plantModules(t *testing.T) {
	t.Helper()
	gomod := "module " + p.module + "\n\ngo 1.26\n"
	for _, prefix := range engineModules {
		name := prefix + "/" + leaf
		in := "modules/" + path.Base(prefix)
		gomod += fmt.Sprintf("\nrequire %s v0.0.0\n\nreplace %[1]s => ./%s\n", name, in)
		p.write(t, in+"/go.mod", "module "+name+"\n\ngo 1.26\n")
		p.write(t, in+"/leaf.go", "package leaf\n")
	}
	p.write(t, "go.mod", gomod)
}

// imports are what is planted: all that any list denies.
func (p *planting) imports() []string {
	var all []string
	for _, dir := range leafFolders {
		all = append(all, path.Join(p.module, dir, leaf))
	}
	for _, prefix := range engineModules {
		all = append(all, prefix+"/"+leaf)
	}
	return all
}

func (p *planting) source() string {
	text := "package planted\n\n"
	for _, name := range p.imports() {
		text += fmt.Sprintf("import _ %q\n", name)
	}
	return text
}

func (p *planting) write(t *testing.T, name, text string) {
	t.Helper()
	name = filepath.Join(p.dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// wanted is what CONTRIBUTING.md says of each plant.
func (p *planting) wanted() (all []violation) {
	for _, dir := range p.packages {
		all = append(all, p.ofFile(dir, "planted.go")...)
	}
	for _, dir := range testPlants {
		all = append(all, p.ofFile(dir, "planted_test.go")...)
	}
	return all
}

func (p *planting) ofFile(dir, file string) (all []violation) {
	for _, imports := range p.imports() {
		for _, list := range p.lists(dir, imports, strings.HasSuffix(file, "_test.go")) {
			all = append(all, violation{path.Join(dir, file), imports, list})
		}
	}
	return all
}

// lists names the rules that an import in a folder breaks.
func (p *planting) lists(dir, imports string, test bool) (lists []string) {
	below := func(parent string) bool { return strings.HasPrefix(dir+"/", parent+"/") }
	ours := strings.TrimPrefix(imports, p.module+"/")
	engine := ours == imports
	client := below("cmd") || below("internal")
	ground := below("spec") || below("elfcheck")
	mayTalk := slices.ContainsFunc(engineRooms, func(r string) bool { return below("pipeline/internal/" + r) })
	if client && ours != "internal/leaf" && ours != "elfcheck/leaf" {
		lists = append(lists, "client")
	}
	if engine && !client && !mayTalk && !test {
		lists = append(lists, "engine")
	}
	data := below("build") || below("catalogue") || below("scenario")
	if data && (strings.HasPrefix(ours, "internal/") || strings.HasPrefix(ours, "pipeline/")) {
		lists = append(lists, "data")
	}
	if ground && !engine {
		lists = append(lists, "ground")
	}
	return lists
}

var refusal = regexp.MustCompile(`(?m)^(.+?):\d+:\d+: import '(.+?)' is not allowed from list '(.+?)'`)

// refused runs the depguard of tools/go.mod on the copy.
func (p *planting) refused(t *testing.T) []violation {
	t.Helper()
	find := exec.Command("go", "tool", "-n", "-modfile=tools/go.mod", "depguard")
	find.Dir = p.root
	program, err := find.Output()
	if err != nil {
		t.Fatalf("%v: %v", find, err)
	}
	cmd := exec.Command(string(bytes.TrimSpace(program)), "./...")
	// -trimpath: the next run finds the compiled plants in Go's cache, wherever its copy lies.
	cmd.Dir, cmd.Env = p.dir, append(os.Environ(), "GOFLAGS=-trimpath -mod=mod", "GOWORK=off", "GOPROXY=off")
	text, err := cmd.CombinedOutput()
	if err == nil {
		t.Fatal("depguard exits with 0")
	}
	var all []violation
	for _, m := range refusal.FindAllStringSubmatch(string(text), -1) {
		file, err := filepath.Rel(p.dir, m[1])
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, violation{filepath.ToSlash(file), m[2], m[3]})
	}
	if len(all) == 0 {
		t.Fatalf("depguard refuses nothing:\n%s", text)
	}
	return all
}

// eachEntryBites looks for an entry of .depguard.yaml that refused no plant.
func (p *planting) eachEntryBites(t *testing.T, got []violation) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(p.dir, ".depguard.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var lists map[string]struct{ Deny map[string]string }
	if err := yaml.Unmarshal(text, &lists); err != nil {
		t.Fatal(err)
	}
	for list, rule := range lists {
		for denied := range rule.Deny {
			bites := func(v violation) bool { return v.list == list && strings.HasPrefix(v.imports, denied) }
			if !slices.ContainsFunc(got, bites) {
				t.Errorf("list %s: %s refused nothing", list, denied)
			}
		}
	}
}
