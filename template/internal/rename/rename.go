// Package rename gives a copy of a repository another name: module path, program and
// namespace, in every spelling that the place asks for.
//
// In: a file and its name. Out: the same, without a trace of the old names. Go is taken
// apart into tokens, so that an identifier becomes an identifier (yourTool) where a string
// has the name as it is (your-tool), and put into gofmt's form again, since names have
// other lengths and imports another order. All else is text.
package rename

import (
	"bytes"
	"errors"
	"fmt"
	"go/format"
	"go/scanner"
	"go/token"
	"path"
	"strings"
	"unicode/utf8"
)

// Names are what a project is called.
type Names struct {
	Module    string // example.org/you/your-tool
	Program   string // your-tool
	Namespace string // of labels, volumes, variables: your-tool
}

// Renamer knows old and new spellings.
type Renamer struct {
	from    Names
	text    []spelling
	ident   []spelling
	checked string // no trace of it, in any case, may be left; empty: the new names have it themselves
}

// spelling is a way to write a name, and how the new one is written so. Where an
// underscore is beside it, a hyphen may not be possible: joined is taken. Where the old name
// has one itself, it is.
type spelling struct{ old, now, joined string }

// New returns a renamer.
func New(from, to Names) (*Renamer, error) {
	if from.Module == "" || from.Program == "" || from.Namespace == "" || to.Module == "" ||
		to.Program == "" || to.Namespace == "" {
		return nil, errors.New("a name is empty")
	}
	r := &Renamer{from: from, text: []spelling{{old: from.Module, now: to.Module}}}
	for _, pair := range [][2]string{{from.Program, to.Program}, {from.Namespace, to.Namespace}} {
		old, now := pair[0], pair[1]
		joined := snake(now)
		if strings.Contains(old, "-") {
			joined = now
		}
		r.text = append(r.text,
			spelling{old, now, joined},
			spelling{snake(old), snake(now), snake(now)},
			spelling{upper(old), upper(now), upper(now)},
			spelling{strings.ToUpper(old), strings.ToUpper(now), upper(now)},
			spelling{camel(old), camel(now), camel(now)},
			spelling{lower(old), lower(now), lower(now)})
		r.ident = append(r.ident,
			spelling{snake(old), lower(now), snake(now)},
			spelling{upper(old), strings.ReplaceAll(upper(now), "_", ""), upper(now)},
			spelling{camel(old), camel(now), camel(now)},
			spelling{lower(old), lower(now), lower(now)})
	}
	trace, mine := strings.ToLower(from.Namespace), strings.ToLower(to.Module+" "+to.Program+" "+to.Namespace)
	if !strings.Contains(mine, trace) {
		r.checked = trace
	}
	return r, nil
}

func snake(name string) string { return strings.ReplaceAll(name, "-", "_") }
func upper(name string) string { return strings.ToUpper(snake(name)) }

// camel is YourTool.
func camel(name string) string {
	words := strings.Split(name, "-")
	for i, w := range words {
		words[i] = strings.ToUpper(w[:1]) + w[1:]
	}
	return strings.Join(words, "")
}

// lower is yourTool.
func lower(name string) string {
	c := camel(name)
	return strings.ToLower(c[:1]) + c[1:]
}

// Path renames a file, which is named with slashes.
func (r *Renamer) Path(name string) string { return replace(name, r.text) }

// File renames what stands in a file. A trace of the old name that is spelled in no known
// way, or stands in a file that is no text, is an error.
func (r *Renamer) File(name string, content []byte) ([]byte, error) {
	out := content
	switch {
	case !utf8.Valid(content):
	case path.Ext(name) == ".go":
		out = r.goFile(content)
	default:
		out = []byte(replace(string(content), r.text))
	}
	if r.checked == "" {
		return out, nil
	}
	if i := bytes.Index(bytes.ToLower(out), []byte(r.checked)); i >= 0 {
		return nil, fmt.Errorf("%s: the old name is left in %q", name, out[max(0, i-20):min(len(out), i+40)])
	}
	return out, nil
}

// goFile renames a file of Go, token by token. What does not parse stays unformatted.
func (r *Renamer) goFile(source []byte) []byte {
	var out bytes.Buffer
	files := token.NewFileSet()
	file := files.AddFile("", files.Base(), len(source))
	var s scanner.Scanner
	s.Init(file, source, nil, scanner.ScanComments)
	done := 0
	for {
		pos, kind, literal := s.Scan()
		if kind == token.EOF {
			break
		}
		spellings := r.text
		switch kind {
		case token.IDENT:
			spellings = r.ident
		case token.STRING, token.CHAR, token.COMMENT:
		default:
			continue
		}
		// Carriage returns are left out of literals (go/scanner), so their end is not known
		// from their length: only what is renamed is copied by it.
		renamed := replace(literal, spellings)
		at := file.Offset(pos)
		if renamed == literal || !bytes.HasPrefix(source[at:], []byte(literal)) {
			continue
		}
		out.Write(source[done:at])
		out.WriteString(renamed)
		done = at + len(literal)
	}
	out.Write(source[done:])
	if formatted, err := format.Source(out.Bytes()); err == nil {
		return formatted
	}
	return out.Bytes()
}

// replace puts new spellings in the place of old ones; of several that fit, the first.
func replace(text string, spellings []spelling) string {
	var out strings.Builder
	for i := 0; i < len(text); {
		s, ok := at(text[i:], spellings)
		if !ok {
			out.WriteByte(text[i])
			i++
			continue
		}
		end := i + len(s.old)
		if s.joined != "" && (i > 0 && text[i-1] == '_' || end < len(text) && text[end] == '_') {
			s.now = s.joined
		}
		out.WriteString(s.now)
		i = end
	}
	return out.String()
}

func at(text string, spellings []spelling) (spelling, bool) {
	for _, s := range spellings {
		if strings.HasPrefix(text, s.old) {
			return s, true
		}
	}
	return spelling{}, false
}
