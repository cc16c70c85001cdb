package engine

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"github.com/containerd/errdefs"
	clicontext "github.com/docker/cli/cli/context"
	"github.com/docker/cli/cli/context/docker"
	"github.com/docker/cli/cli/context/store"
	"github.com/docker/cli/opts"

	"github.com/tcapflow/tcapflow/pipeline/internal/fault"
)

// endpoint is an engine's address, and how one speaks to it.
type endpoint struct {
	docker.Endpoint
	said string // who named it, in words; empty: nobody did, a socket was found
}

// endpoints are the engines to try, best first. As with the docker command, DOCKER_HOST
// goes before DOCKER_CONTEXT, and that before `docker context use`; an engine that is
// named is the only one. Unlike it, we look for a socket where nothing is named.
func endpoints() ([]endpoint, error) {
	tls := os.Getenv("DOCKER_TLS_VERIFY")+os.Getenv("DOCKER_TLS")+os.Getenv("DOCKER_CERT_PATH") != ""
	host, name := os.Getenv("DOCKER_HOST"), ""
	if host == "" {
		var err error
		if name, err = contextName(); err != nil {
			return nil, err
		}
	}
	switch {
	case name != "":
		e, err := ofContext(name)
		return []endpoint{e}, err
	case host != "" || tls: // with TLS and no host, docker's default is tcp://localhost:2376
		e, err := ofHost(host, tls)
		return []endpoint{e}, err
	}
	return found(), nil
}

// ofHost is the engine at an address of DOCKER_HOST. What certificates there are is
// what the docker command takes: those of DOCKER_CERT_PATH, else of its own folder;
// a CA is a must, the client's own certificate is not.
func ofHost(host string, tls bool) (endpoint, error) {
	e := endpoint{said: fmt.Sprintf("DOCKER_HOST is %q", host)}
	if host == "" {
		e.said = "DOCKER_TLS_VERIFY, DOCKER_TLS or DOCKER_CERT_PATH is set and DOCKER_HOST is not"
	}
	address, err := opts.ParseHost(tls, host)
	if err != nil {
		return e, fault.New(fault.Engine,
			"set it to unix:///PATH, tcp://HOST:PORT (with DOCKER_TLS_VERIFY=1 for TLS) or ssh://USER@HOST",
			"container engine: %s: %w", e.said, err)
	}
	e.Host = address
	if !tls {
		return e, nil
	}
	dir := os.Getenv("DOCKER_CERT_PATH")
	if dir == "" {
		dir = configDir()
	}
	e.SkipTLSVerify = os.Getenv("DOCKER_TLS_VERIFY") == ""
	ca, cert, key := filepath.Join(dir, "ca.pem"), ifThere(dir, "cert.pem"), ifThere(dir, "key.pem")
	if e.TLSData, err = clicontext.TLSDataFromFiles(ca, cert, key); err != nil {
		return e, fault.New(fault.Engine, "put ca.pem, cert.pem and key.pem into the folder of DOCKER_CERT_PATH, "+
			"or unset DOCKER_TLS_VERIFY, DOCKER_TLS and DOCKER_CERT_PATH",
			"container engine: TLS was asked for: %w", err)
	}
	return e, nil
}

func ifThere(dir, name string) string {
	path := filepath.Join(dir, name)
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return ""
	}
	return path
}

// configDir is the folder of the docker command's settings.
func configDir() string {
	if dir := os.Getenv("DOCKER_CONFIG"); dir != "" {
		return dir
	}
	home, _ := os.UserHomeDir()
	return filepath.Join(home, ".docker")
}

// contextName is the Docker context that is in use; empty: the default one, which is none.
func contextName() (name string, err error) {
	if name = os.Getenv("DOCKER_CONTEXT"); name == "" {
		if name, err = usedContext(filepath.Join(configDir(), "config.json")); err != nil {
			return "", err
		}
	}
	if name == "default" {
		return "", nil
	}
	return name, nil
}

// usedContext is what `docker context use` wrote into the docker command's config.json.
func usedContext(file string) (string, error) {
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	var config struct{ CurrentContext string }
	if err == nil {
		err = json.Unmarshal(text, &config)
	}
	if err != nil {
		return "", fault.New(fault.Engine, "mend the file, or name an engine with DOCKER_HOST",
			"container engine: %s: %w", file, err)
	}
	return config.CurrentContext, nil
}

// ofContext is the engine of a Docker context, with the certificates that are kept with it.
func ofContext(name string) (endpoint, error) {
	e := endpoint{said: fmt.Sprintf("it is the Docker context %q", name)}
	contexts := store.New(filepath.Join(configDir(), "contexts"), store.NewConfig(
		func() any { return &map[string]any{} },
		store.EndpointTypeGetter(docker.DockerEndpoint, func() any { return &docker.EndpointMeta{} })))
	meta, err := contexts.GetMetadata(name)
	var at docker.EndpointMeta
	if err == nil {
		at, err = docker.EndpointFromContext(meta)
	}
	if err == nil {
		e.Endpoint, err = docker.WithTLSData(contexts, name, at)
	}
	if errdefs.IsNotFound(err) {
		err = errors.New("there is none of that name")
	}
	if err != nil {
		return e, fault.New(fault.Engine, "`docker context ls` lists them; choose one with `docker context use` "+
			"or DOCKER_CONTEXT, or name an engine with DOCKER_HOST",
			"container engine: Docker context %q: %w", name, err)
	}
	return e, nil
}

// found are the sockets at the usual places: Docker's, its rootless and its desktop one,
// then podman's. Of those that are not there nothing is said, if there is one.
func found() []endpoint {
	if runtime.GOOS == "windows" {
		return []endpoint{at("npipe:////./pipe/docker_engine")}
	}
	home, _ := os.UserHomeDir()
	user := os.Getenv("XDG_RUNTIME_DIR")
	if user == "" {
		user = fmt.Sprintf("/run/user/%d", os.Getuid())
	}
	const system = "/var/run/docker.sock"
	var there []endpoint
	for _, socket := range []string{
		system, user + "/docker.sock", home + "/.docker/run/docker.sock", home + "/.docker/desktop/docker.sock",
		user + "/podman/podman.sock", "/run/podman/podman.sock",
	} {
		if _, err := os.Stat(socket); err == nil {
			there = append(there, at("unix://"+socket))
		}
	}
	if len(there) == 0 {
		return []endpoint{at("unix://" + system)}
	}
	return there
}

func at(host string) (e endpoint) {
	e.Host = host
	return e
}
