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

	"github.com/tcapflow/tcapflow/pipeline"
)

// The comments of the targets are their manual. Mage prints one as a single line, examples
// and all, so these stand in lines that Go takes for directives, which are no part of the text.
var (
	//go:embed targets.go
	targetsSource string
	//go:embed look.go
	lookSource string
	//go:embed manual.go
	manualSource string

	sources = []string{targetsSource, lookSource, manualSource}
)

// exampleMark begins a line of a target's comment with an example for Help.
const exampleMark = "//example:"

// Document adds the source of further targets to what Help knows.
func Document(source string) string {
	sources = append(sources, source)
	return source
}

// Vars lists variables and options: what each means, its default, its value now, and who set it.
//
//example:mage vars
//example:mage vars -json
func Vars(ctx context.Context, json *bool) error {
	return do(ctx, pipeline.Args{JSON: json}, (*pipeline.Pipeline).Vars)
}

// Help lists the targets by what they are for, or shows one with its options and examples.
//
//example:mage help
//example:mage help -target=static
func Help(_ context.Context, target *string) error {
	manual := readManual(sources...)
	if target == nil {
		return manual.contents(os.Stdout)
	}
	return manual.show(os.Stdout, *target)
}

// page is the manual of a target.
type page struct {
	name     string   // test:distros
	about    string   // one sentence
	more     string   // what else the comment says; may be empty
	examples []string // lines
	options  []string // names, in the order of the function's parameters
}

// manual has the pages in the order of the source.
type manual []page

// further are the options that only targets beside the pipeline's own have.
var further = [][2]string{
	{"runs", "how often each program is run; 1000 if it is not given"},
	{"target", "the target whose manual is shown"},
	{"module", "path of the new project's Go module"},
	{"name", "of the new program; without it, the last word of the module's path"},
	{"clib", "none, libpcap, sqlite, zlib, openssl or zstd: the C library of the new project"},
	{"whole", "a renamed copy of this repository, instead of a project that uses it as a library"},
}

// optionMeanings are the options of all targets, which mean the same everywhere.
func optionMeanings() (all [][2]string) {
	for _, o := range pipeline.NewManual(project, pipeline.Args{}).Options {
		meaning := o.Meaning
		if o.Default != "" {
			meaning += "; default: " + o.Default
		}
		all = append(all, [2]string{o.Name, meaning})
	}
	return append(all, further...)
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
	first := new(doc.Package).Synopsis(text)
	_, about, _ := strings.Cut(first, " ") // the function's name
	p.about = strings.ToUpper(about[:1]) + about[1:]
	p.more = strings.Join(strings.Fields(text), " ")
	p.more = strings.TrimSpace(strings.TrimPrefix(p.more, first))
	for _, line := range f.Doc.List {
		if example, ok := strings.CutPrefix(line.Text, exampleMark); ok {
			p.examples = append(p.examples, example)
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
	{"Build", []string{"dev", "static", "verify", "targets", "release"}},
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
	fmt.Fprintln(table, "\n`mage help -target=static` shows one with its options; `mage vars` lists the variables that count.")
	return table.Flush()
}

func (m manual) show(w io.Writer, name string) error {
	i := slices.IndexFunc(m, func(p page) bool { return p.name == strings.ToLower(name) })
	if i < 0 {
		return pipeline.Misuse("`mage help` lists them", "no target %q", name)
	}
	p := m[i]
	fmt.Fprintf(w, "mage %s\n\n  %s\n", p.name, p.about)
	for _, line := range wrapped(p.more, 90) {
		fmt.Fprintf(w, "  %s\n", line)
	}
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

// wrapped breaks a text into lines of at most so many columns.
func wrapped(text string, columns int) (lines []string) {
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && len(line)+1+len(word) > columns {
			lines = append(lines, line)
			line = ""
		}
		line = strings.TrimSpace(line + " " + word)
	}
	if line != "" {
		lines = append(lines, line)
	}
	return lines
}

func meaning(option string) string {
	for _, o := range optionMeanings() {
		if o[0] == option {
			return o[1]
		}
	}
	return ""
}
