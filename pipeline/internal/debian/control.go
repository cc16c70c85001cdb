package debian

import (
	"bufio"
	"fmt"
	"io"
	"strings"
)

// maxLine bounds a line of a control file; the longest in Debian 13's Packages has 40 KB.
const maxLine = 1 << 20

// stanzas calls each for every stanza of a control file (deb822(5)): field names as
// written, continuation lines joined with newlines. It stops at the first error.
func stanzas(r io.Reader, each func(map[string]string) error) error {
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 64<<10), maxLine)
	stanza, field := map[string]string{}, ""
	flush := func() error {
		if len(stanza) == 0 {
			return nil
		}
		done := stanza
		stanza, field = map[string]string{}, ""
		return each(done)
	}
	for lines.Scan() {
		line := lines.Text()
		switch {
		case strings.TrimSpace(line) == "":
			if err := flush(); err != nil {
				return err
			}
		case line[0] == ' ' || line[0] == '\t':
			if field == "" {
				return fmt.Errorf("continuation line without a field: %.40q", line)
			}
			stanza[field] += "\n" + strings.TrimSpace(line)
		case line[0] == '#':
		default:
			name, value, found := strings.Cut(line, ":")
			if !found || name == "" || strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r > '~' }) {
				return fmt.Errorf("no field in line %.40q", line)
			}
			field = name
			stanza[field] = strings.TrimSpace(value)
		}
	}
	if err := lines.Err(); err != nil {
		return err
	}
	return flush()
}
