package options

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/tcapflow/tcapflow/pipeline/internal/fault"
	"github.com/tcapflow/tcapflow/spec"
)

// readMirrors fills in where Debian's files come from.
func (o *Options) readMirrors(project spec.Project, env variables) error {
	base := project.Debian
	o.Mirrors = mirrors(env.get("DEBIAN_MIRROR"), "/etc/apt", base.Mirrors)
	for _, url := range o.Mirrors {
		if !isWeb(url) {
			const next = "give it as http://HOST/debian or https://HOST/debian; several with spaces or commas between"
			return fault.New(fault.Usage, next, "DEBIAN_MIRROR is %q, which is no address of a mirror", url)
		}
	}
	o.Security = securityMirrors(o.Mirrors, env.get("DEBIAN_MIRROR") != "", base.Security)
	switch user := env.get("DEBIAN_SNAPSHOT"); {
	case user == "":
		o.Snapshot = base.Snapshot
	case user == "off":
	case isWeb(user):
		o.Snapshot = strings.TrimRight(user, "/")
	default:
		const next = "give it as https://HOST, or \"off\""
		return fault.New(fault.Usage, next, "DEBIAN_SNAPSHOT is %q, which is no address", user)
	}
	return nil
}

// readAlpineMirrors fills in where Alpine's packages come from: as for Debian, what the user
// says and nothing else, or what the base names.
func (o *Options) readAlpineMirrors(project spec.Project, env variables) error {
	if o.AlpineMirrors = listed(env.get("ALPINE_MIRROR")); o.AlpineMirrors == nil {
		o.AlpineMirrors = project.Alpine.Mirrors
	}
	for _, url := range o.AlpineMirrors {
		if !isWeb(url) {
			const next = "give it as http://HOST/alpine or https://HOST/alpine; several with spaces or commas between"
			return fault.New(fault.Usage, next, "ALPINE_MIRROR is %q, which is no address of a mirror", url)
		}
	}
	return nil
}

func isWeb(url string) bool {
	return strings.HasPrefix(url, "http://") || strings.HasPrefix(url, "https://")
}

// securityMirrors names the archive of security updates: beside each mirror that the user
// names, and no other; else beside the first, which may be that of the host's apt, then
// Debian's own. Not every mirror has it.
func securityMirrors(mirrors []string, user bool, official []string) (urls []string) {
	if !user {
		mirrors = mirrors[:min(1, len(mirrors))]
	}
	for _, url := range mirrors {
		if i := strings.LastIndexByte(url, '/'); i > strings.Index(url, "://")+2 {
			urls = appendNew(urls, url[:i]+"/debian-security")
		}
	}
	if user {
		return urls
	}
	for _, url := range official {
		urls = appendNew(urls, url)
	}
	return urls
}

// mirrors names the Debian archive: what the user says and nothing else, as a firm's
// machines may be forbidden to ask others; without that what the host's apt uses (also a
// firm's own, often the only one that answers), then Debian's.
func mirrors(user, apt string, official []string) []string {
	if urls := listed(user); urls != nil {
		return urls
	}
	var urls []string
	if url := aptMirror(apt); url != "" {
		urls = append(urls, url)
	}
	for _, url := range official {
		urls = appendNew(urls, url)
	}
	return urls
}

// listed reads a variable that names mirrors, with spaces or commas between.
func listed(user string) (urls []string) {
	separator := func(r rune) bool { return r == ',' || r == ' ' || r == '\t' || r == '\n' }
	for _, url := range strings.FieldsFunc(user, separator) {
		urls = appendNew(urls, strings.TrimRight(url, "/"))
	}
	return urls
}

// appendNew leaves out what is there already: a mirror is asked once.
func appendNew(urls []string, url string) []string {
	if slices.Contains(urls, url) {
		return urls
	}
	return append(urls, url)
}

// aptMirror is the first Debian archive in the settings of the host's apt, or "".
func aptMirror(apt string) string {
	files, _ := filepath.Glob(filepath.Join(apt, "sources.list.d", "*"))
	for _, file := range append([]string{filepath.Join(apt, "sources.list")}, files...) {
		if ext := filepath.Ext(file); ext != ".list" && ext != ".sources" {
			continue // apt does not read it either
		}
		if url := debianIn(file); url != "" {
			return url
		}
	}
	return ""
}

// debianIn finds the first Debian archive in a file of sources.list(5), of either
// format. Other archives have addresses that end in /debian, too: one counts if it has
// a suite of Debian's with the component main.
func debianIn(file string) string {
	text, err := os.ReadFile(file)
	if err != nil {
		return ""
	}
	if filepath.Ext(file) == ".sources" {
		return debianInStanzas(string(text))
	}
	for line := range strings.Lines(string(text)) {
		words := strings.Fields(line)
		if len(words) == 0 || words[0] != "deb" {
			continue
		}
		for len(words) > 1 && !strings.HasPrefix(words[1], "http") {
			words = words[1:] // [arch=… signed-by=…]
		}
		if len(words) > 3 {
			if url := archive(words[1:2], words[2:3], words[3:]); url != "" {
				return url
			}
		}
	}
	return ""
}

// debianInStanzas reads the deb822 format, whose fields come in any order and case.
func debianInStanzas(text string) string {
	fields := map[string][]string{}
	for line := range strings.Lines(text + "\n\n") {
		name, values, _ := strings.Cut(strings.TrimSpace(line), ":")
		if name != "" {
			fields[strings.ToLower(name)] = strings.Fields(values)
			continue
		}
		if slices.Contains(fields["types"], "deb") && !slices.Contains(fields["enabled"], "no") {
			if url := archive(fields["uris"], fields["suites"], fields["components"]); url != "" {
				return url
			}
		}
		clear(fields)
	}
	return ""
}

var codenames = []string{
	"bullseye", "bookworm", "trixie", "forky", "sid", "stable", "oldstable", "testing", "unstable",
}

func archive(urls, suites, components []string) string {
	isDebian := func(suite string) bool { return slices.Contains(codenames, suite) }
	if !slices.Contains(components, "main") || !slices.ContainsFunc(suites, isDebian) {
		return ""
	}
	for _, url := range urls {
		if url = strings.TrimRight(url, "/"); strings.HasPrefix(url, "http") && strings.HasSuffix(url, "/debian") {
			return url
		}
	}
	return ""
}
