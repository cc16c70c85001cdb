package elfcheck

import (
	"debug/elf"
	"fmt"
	"io"
	"slices"
)

const (
	// maxUnpacked bounds what the compressed sections may unpack to together, in bytes; zlib packs
	// zeros a thousandfold, so a small file could keep us busy for hours.
	maxUnpacked = 1 << 30
	// shown is how much is looked at around a path, and shown of it, in bytes.
	shown = 80
)

// leaks searches a file for paths of the building machine.
type leaks struct {
	img     *image
	paths   []*hostPath
	allowed []Exception
	context int
}

func newLeaks(img *image, w Want) (*leaks, error) {
	paths, err := newHostPaths(w.Forbidden)
	if err != nil {
		return nil, err
	}
	l := &leaks{img: img, paths: paths, context: shown}
	for _, a := range w.Allowed {
		if a.Text == "" || a.Reason == "" {
			return nil, fmt.Errorf("the exception for %q has no text or no reason: give both", a.Text)
		}
		l.allowed = append(l.allowed, Exception{Allowed: a})
		l.context = max(l.context, len(a.Text))
	}
	return l, nil
}

// search looks into each byte of the file, and into the debug sections that linkers compress: the path is
// no less there for being packed.
func (l *leaks) search(r io.ReaderAt, size int64) error {
	if len(l.paths) == 0 {
		return nil
	}
	if err := l.scan(io.NewSectionReader(r, 0, size), l.img.place); err != nil {
		return err
	}
	return l.searchPacked(maxUnpacked)
}

// searchPacked looks into compressed sections, which together may unpack to less than budget bytes. What
// cannot be unpacked is an error: nobody can say what is in it.
func (l *leaks) searchPacked(budget int64) error {
	for _, s := range l.img.Sections {
		if s.Flags&elf.SHF_COMPRESSED == 0 || s.Type == elf.SHT_NOBITS {
			continue
		}
		unpacked := &io.LimitedReader{R: s.Open(), N: budget}
		where := place{"the unpacked section " + printable(s.Name), holdsPaths(s.Name)}
		if err := l.scan(unpacked, func(int64) place { return where }); err != nil {
			return fmt.Errorf("section %q: %w", s.Name, err)
		}
		if budget = unpacked.N; budget <= 0 {
			return fmt.Errorf("section %q unpacks to too much to search", s.Name)
		}
	}
	return nil
}

func (l *leaks) scan(r io.Reader, where func(int64) place) error {
	var patterns []string
	for _, p := range l.paths {
		patterns = append(patterns, p.text)
	}
	return scan(r, patterns, l.context, func(m match) {
		p, at := l.paths[m.pattern], where(m.off)
		longer := func(other *hostPath) bool { return p.goesOn(other, m, at) }
		if !p.evidence(m, at) || slices.ContainsFunc(l.paths, longer) || l.excused(p.text, m) {
			return
		}
		if at.paths {
			p.tables.add(at, m, len(p.text))
		} else {
			p.texts.add(at, m, len(p.text))
		}
	})
}

// excerpt is the text around a match, as far as it can be printed.
func excerpt(m match, length int) string {
	printable := func(b byte) bool { return b >= ' ' && b <= '~' }
	before, after := m.before(shown/4), m.after(length, shown/2)
	start := len(before)
	for start > 0 && printable(before[start-1]) {
		start--
	}
	end := slices.IndexFunc(after, func(b byte) bool { return !printable(b) })
	if end < 0 {
		end = len(after)
	}
	return string(before[start:]) + string(m.window[m.at:m.at+length]) + string(after[:end])
}

const (
	stepTrim = "build with -trimpath, and compile C code with -ffile-prefix-map"
	stepData = "take it out of what is embedded (go:embed) or of the prebuilt archive (.a) that it came with; " +
		"if it must stay, name it with the reason under Allowed in build/project.go"
)

// report gives a finding for each path that leaked, and the exceptions that were made use of.
func (l *leaks) report() (findings []Finding, used []Exception) {
	for _, p := range l.paths {
		if p.tables.places > 0 {
			findings = append(findings, p.tables.finding(p.text, "a compiler's table of source paths", stepTrim))
		}
		if p.texts.places > 0 {
			findings = append(findings, p.texts.finding(p.text, "text that was embedded or linked in", stepData))
		}
	}
	for _, a := range l.allowed {
		if a.Places > 0 {
			used = append(used, a)
		}
	}
	return findings, used
}

func (l leak) finding(path, what, next string) Finding {
	return Finding{"host-path", fmt.Sprintf(
		"%q, a path of the building machine, stands in %s (%s), first at byte %d of %s: %q; %s",
		path, what, places(l.places), l.off, l.where.name, l.excerpt, next)}
}

func places(n int) string {
	if n == 1 {
		return "1 place"
	}
	return fmt.Sprintf("%d places", n)
}
