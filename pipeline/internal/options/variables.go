package options

import (
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/tcapflow/tcapflow/spec"
)

// Variable is an environment variable that counts.
type Variable struct {
	Name    string `json:"name"`
	Default string `json:"default"` // "": see Meaning
	Meaning string `json:"meaning"`
	Set     string `json:"set,omitempty"` // its value, without a password that is in it
	Others  bool   `json:"-"`             // read by docker, go and the like, which we hand it to
}

// Variables lists what counts for a project, its own first. What is not listed here is not
// read: get looks names up in it.
func Variables(project spec.Project) []Variable {
	own := project.Namespace.Variable
	cache := string(project.Namespace) + " in your cache folder"
	list := []Variable{
		{own("CACHE"), cache, "folder for downloads and compiled C libraries, of its own", "", false},
		{own("BASE"), "auto", "what the builder is made of: alpine, debian, or auto; -base goes first", "", false},
		{own("ENGINE_CACHE"), keepDefault, "what images and caches may take in the engine: 20GB, 8GiB", "", false},
		{own("NATIVES"), "the kernel is asked", "what the engine's kernel runs itself, as GOARCH: amd64,386", "", false},
		{own("REGISTRY"), "Docker Hub", "a registry that stands in for it", "", false},
		{"DEBIAN_MIRROR", "that of the host's apt, then Debian's own",
			"Debian's archive; several with blanks between are asked in order, and no others", "", false},
		{"DEBIAN_SNAPSHOT", project.Debian.Snapshot,
			"where locked packages are looked for that no mirror has any more; off: nowhere", "", false},
		{"ALPINE_MIRROR", "Alpine's own", "Alpine's packages; several with blanks between, as for Debian", "", false},
		{"SSL_CERT_FILE", "the system's", "certificates to trust, for a TLS proxy with a CA of its own", "", false},
		{"HTTPS_PROXY", "", "proxy for our downloads", "", true},
		{"HTTP_PROXY", "", "the same, for plain HTTP", "", true},
		{"NO_PROXY", "", "hosts that need no proxy", "", true},
		{"NO_COLOR", "", "if set: no colour", "", false},
		{"CI", "", "if set: plain lines, no colour", "", false},
		{"TERM", "", "dumb: plain lines, no colour", "", false},
		{"DOCKER_HOST", "the Docker context in use, else a socket at one of the usual places",
			"the engine: unix://…, tcp://… or ssh://user@host", "", true},
		{"DOCKER_CONTEXT", "as chosen by docker context use", "the Docker context", "", true},
		{"DOCKER_TLS_VERIFY", "", "as with the docker command", "", true},
		{"DOCKER_CERT_PATH", "", "as with the docker command", "", true},
		{"DOCKER_CONFIG", "", "as with the docker command", "", true},
		{"DOCKER_API_VERSION", "", "as with the docker command", "", true},
		{"GOPROXY", "as go env says", "where Go modules and the toolchain come from", "", true},
		{"GOSUMDB", "as go env says", "the checksum database", "", true},
	}
	for i, v := range list {
		list[i].Set = redacted(lookUp(v.Name))
	}
	return list
}

// variables is where options are read from.
type variables struct{ known []Variable }

// get returns the value of a variable that is listed.
func (e variables) get(name string) string {
	if !slices.ContainsFunc(e.known, func(v Variable) bool { return v.Name == name && !v.Others }) {
		panic(fmt.Sprintf("%s is read and stands not in the table of variables", name))
	}
	return lookUp(name)
}

// lookUp knows proxies in lower case, too, as curl and Go do.
func lookUp(name string) string {
	value := os.Getenv(name)
	if value == "" && strings.HasSuffix(name, "_PROXY") {
		value = os.Getenv(strings.ToLower(name))
	}
	return value
}

// redacted hides the password in an address.
func redacted(value string) string {
	at, err := url.Parse(value)
	if err != nil || at.User == nil {
		return value
	}
	return at.Redacted()
}
