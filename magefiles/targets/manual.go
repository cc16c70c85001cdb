package targets

import (
	"context"
	_ "embed"
	"fmt"
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"io"
	"os"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/magefile/mage/mg"

	"github.com/tcapflow/tcapflow/pipeline"
)

// The comments of the targets are their manual: mage prints them as one line, Help as they stand.
var (
	//go:embed targets.go
	targetsSource string
	//go:embed template.go
	templateSource string
	//go:embed manual.go
	manualSource string

	sources = []string{targetsSource, templateSource, manualSource}
)

// Document adds the source of further targets to what Help knows.
func Document(source string) string {
	sources = append(sources, source)
	return source
}

// Vars lists the variables that count: what each means, its default, and its value now.
//
//	mage vars
//	mage vars -json
func Vars(ctx context.Context, json *bool) error {
	return do(ctx, pipeline.Args{JSON: json}, func(p *pipeline.Pipeline, _ context.Context) error { return p.Vars() })
}

// Doctor says what is wrong on this machine, or why a program does not run somewhere.
//
//	mage doctor                                              what a build needs here
//	mage doctor -file=out/linux_amd64/yourtool               does this run here?
//	mage doctor -file=./yourtool -os=debian11                does it run there?
//	mage doctor -image=registry.example/yourtool:1           does what the image starts run in it?
//	mage doctor -file=./yourtool -image=alpine:3.22          would it, if it were copied into the image?
//	mage doctor -image=yourtool -message='exec format error' which of the findings explains this?
//	mage doctor -json                                        the checks, for a program
func Doctor(ctx context.Context, file, image, os, arch, message *string, json *bool) error {
	d := pipeline.DoctorOptions{
		File: textOf(file), Image: textOf(image), OS: textOf(os), Arch: textOf(arch), Message: textOf(message),
	}
	return do(ctx, pipeline.Args{JSON: json}, func(p *pipeline.Pipeline, ctx context.Context) error {
		return p.Doctor(ctx, d)
	})
}

// Help lists the targets by what they are for, or shows one with its options and examples.
//
//	mage help
//	mage help -of=static
func Help(_ context.Context, of *string) error {
	manual := readManual(sources...)
	if of == nil {
		return manual.contents(os.Stdout)
	}
	return manual.show(os.Stdout, *of)
}

// page is the manual of a target.
type page struct {
	name     string   // test:distros
	about    string   // one sentence
	examples []string // lines
	options  []string // names, in the order of the function's parameters
}

// manual has the pages in the order of the source.
type manual []page

// optionMeanings are the options of all targets, which mean the same everywhere.
var optionMeanings = [][2]string{
	{"targets", "these platforms only, with commas between; exact names, as `mage targets` lists them"},
	{"base", "alpine, debian, or auto: what the builder is made of"},
	{"debug", "unstripped twins without optimisation, in out/OS_ARCH_debug/"},
	{"locked", "stop where a locked input is gone, in place of taking the next best with a warning"},
	{"json", "the result for a program, on standard output"},
	{"files", "ELF files to check, with commas between; without it, all of out/"},
	{"publish", "upload what was packed; only at a clean version tag; implies -locked"},
	{"only", "what matches: of test:distros a path as with `go test -run`, of test:libraries names"},
	{"require", "beginnings of names of distributions that must be had: where they cannot, their tests fail"},
	{"show", "only list what would go"},
	{"all", "of clean: what every checkout uses, downloads, too; of images:lock: every set"},
	{"runs", "how often each program is run; 1000 if it is not given"},
	{"file", "the program: a path of this machine, or in the image; without it, what the image starts"},
	{"image", "an OCI layout, a file of `docker save`, or an image that the engine has"},
	{"os", "a distribution in the place of this machine: debian12, alpine3.22 …"},
	{"arch", "GOARCH, where that is not this machine's"},
	{"message", "what the program said when it did not run"},
	{"of", "the target whose manual is shown"},
	{"module", "path of the new project's Go module"},
	{"name", "of the new program; without it, the last word of the module's path"},
	{"clib", "none, libpcap, sqlite, zlib, openssl or zstd: the C library of the new project"},
	{"whole", "a renamed copy of this repository, in place of a project that uses it as a library"},
	{"to", "the version of the template and the library; without it, the newest"},
	{"from", "of a whole copy: the git repository that it was made of"},
}

// wrongUse is the exit code for that.
const wrongUse = 2

// exitCodes are those of all targets; pipeline.Do gives errors theirs.
var exitCodes = []struct {
	code    int
	meaning string
}{
	{0, "done"},
	{1, "the build or a check failed"},
	{wrongUse, "wrong use"},
	{3, "the container engine is missing or refused"},
	{4, "an input could not be fetched"},
	{130, "interrupted"},
}

func readManual(sources ...string) (m manual) {
	files := token.NewFileSet()
	for _, source := range sources {
		// It compiles: it is part of this program.
		parsed, err := parser.ParseFile(files, "", source, parser.ParseComments)
		if err != nil {
			panic(err)
		}
		for _, d := range parsed.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && isTarget(f) {
				m = append(m, pageOf(f))
			}
		}
	}
	return m
}

// isTarget follows mage's rule: exported, of no receiver or of a namespace by value, and
// with an error or nothing as its result.
func isTarget(f *ast.FuncDecl) bool {
	if !f.Name.IsExported() || f.Type.Results == nil || len(f.Type.Results.List) != 1 {
		return false
	}
	result, ok := f.Type.Results.List[0].Type.(*ast.Ident)
	return ok && result.Name == "error"
}

func pageOf(f *ast.FuncDecl) page {
	p := page{name: strings.ToLower(f.Name.Name)}
	if f.Recv != nil {
		p.name = strings.ToLower(f.Recv.List[0].Type.(*ast.Ident).Name) + ":" + p.name
	}
	text := f.Doc.Text()
	sentence := new(doc.Package).Synopsis(text)
	_, sentence, _ = strings.Cut(sentence, " ") // the function's name
	p.about = strings.ToUpper(sentence[:1]) + sentence[1:]
	for line := range strings.Lines(text) {
		if example, ok := strings.CutPrefix(line, "\t"); ok {
			p.examples = append(p.examples, strings.TrimRight(example, "\n"))
		}
	}
	for _, field := range f.Type.Params.List {
		if _, optional := field.Type.(*ast.StarExpr); !optional {
			continue
		}
		for _, name := range field.Names {
			p.options = append(p.options, name.Name)
		}
	}
	return p
}

// parts order the contents: what each is for, and the beginnings of its targets' names.
var parts = []struct {
	title   string
	targets []string
}{
	{"Build", []string{"static", "verify", "targets", "release"}},
	{"Prove", []string{"test:", "lint", "bench:"}},
	{"Look", []string{"doctor", "vars", "help"}},
	{"Keep", []string{"clean", "images:", "template:"}},
}

func (m manual) contents(w io.Writer) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, part := range parts {
		fmt.Fprintf(table, "%s\n", part.title)
		for _, prefix := range part.targets {
			for _, p := range m {
				if p.name == prefix || strings.HasSuffix(prefix, ":") && strings.HasPrefix(p.name, prefix) {
					fmt.Fprintf(table, "  mage %s\t%s\n", p.name, p.about)
				}
			}
		}
	}
	fmt.Fprintln(table, "\n`mage help -of=static` shows one with its options; `mage vars` lists the variables that count.")
	return table.Flush()
}

func (m manual) show(w io.Writer, name string) error {
	i := slices.IndexFunc(m, func(p page) bool { return p.name == strings.ToLower(name) })
	if i < 0 {
		return mg.Fatalf(wrongUse, "no target %q; `mage help` lists them", name)
	}
	p := m[i]
	fmt.Fprintf(w, "mage %s\n\n  %s\n", p.name, p.about)
	if len(p.examples) > 0 {
		fmt.Fprintln(w, "\nExamples:")
	}
	for _, line := range p.examples {
		fmt.Fprintf(w, "  $ %s\n", line)
	}
	if len(p.options) > 0 {
		fmt.Fprintln(w, "\nOptions:")
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, o := range p.options {
		fmt.Fprintf(table, "  -%s\t%s\n", o, meaning(o))
	}
	return table.Flush()
}

func meaning(option string) string {
	for _, o := range optionMeanings {
		if o[0] == option {
			return o[1]
		}
	}
	return ""
}
