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
	Set     string `json:"set,omitempty"`  // its value, without a password that is in it
	From    string `json:"from,omitempty"` // where that is set: the environment, or a file
	Others  bool   `json:"-"`              // read by docker, go and the like, which we hand it to
}

// Variables lists what counts for a project, its own first. What is not listed here is not
// read: get looks names up in it.
func Variables(project spec.Project) []Variable {
	list := append(owned(project), others()...)
	for i, v := range list {
		if value := lookUp(v.Name); value != "" {
			list[i].Set, list[i].From = redacted(value), "environment"
		}
	}
	return list
}

// owned are the variables that this package reads.
func owned(project spec.Project) []Variable {
	own := project.Namespace.Variable
	read := func(name, otherwise, meaning string) Variable {
		return Variable{Name: name, Default: otherwise, Meaning: meaning}
	}
	return []Variable{
		read(own("CACHE"), string(project.Namespace)+" in your cache folder",
			"folder for downloads and compiled C libraries, of its own"),
		read(own("BASE"), "auto", "what the builder is made of: alpine, debian, or auto; -base goes first"),
		read(own("ENGINE_CACHE"), keepDefault, "what images and caches may take in the engine: 20GB, 8GiB"),
		read(own("NATIVES"), "the kernel is asked", "what the engine's kernel runs itself, as GOARCH: amd64,386"),
		read(own("REGISTRY"), "Docker Hub", "a registry that stands in for it"),
		read("DEBIAN_MIRROR", "that of the host's apt, then Debian's own",
			"Debian's archive; several with blanks between are asked in order, and no others"),
		read("DEBIAN_SNAPSHOT", project.Debian.Snapshot,
			"where locked packages are looked for that no mirror has any more; off: nowhere"),
		read("ALPINE_MIRROR", "Alpine's own", "what stands before /v3.24/main"),
		read("SSL_CERT_FILE", "the system's", "certificates to trust, for a TLS proxy with a CA of its own"),
		read("HTTPS_PROXY", "", "proxy for our downloads"),
		read("HTTP_PROXY", "", "the same, for plain HTTP"),
		read("NO_PROXY", "", "hosts that need no proxy"),
		read("NO_COLOR", "", "if set: no colour"),
		read("CI", "", "if set: plain lines, no colour"),
		read("TERM", "", "dumb: plain lines, no colour"),
	}
}

// others are the variables of other programs, which the engine room reads as docker does,
// or hands on to the go command.
func others() []Variable {
	read := func(name, otherwise, meaning string) Variable {
		return Variable{Name: name, Default: otherwise, Meaning: meaning, Others: true}
	}
	const asDocker = "as with the docker command"
	return []Variable{
		read("DOCKER_HOST", "the Docker context in use, else a socket at one of the usual places",
			"the engine: unix://…, tcp://… or ssh://user@host"),
		read("DOCKER_CONTEXT", "as chosen by docker context use", "the Docker context"),
		read("DOCKER_TLS", "", asDocker),
		read("DOCKER_TLS_VERIFY", "", asDocker),
		read("DOCKER_CERT_PATH", "", asDocker),
		read("DOCKER_CONFIG", "", asDocker),
		read("DOCKER_API_VERSION", "", asDocker),
		read("XDG_RUNTIME_DIR", "/run/user/UID", "where sockets of rootless engines are looked for"),
		read("GOPROXY", "as go env says", "where Go modules and the toolchain come from"),
		read("GOSUMDB", "as go env says", "the checksum database"),
	}
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
