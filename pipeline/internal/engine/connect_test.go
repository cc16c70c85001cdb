package engine

import (
	"context"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/docker/cli/cli/context/docker"
	"github.com/docker/cli/cli/context/store"

	"github.com/tcapflow/tcapflow/pipeline/internal/fault"
)

// When this test binary is started under the name ssh, it is one: it connects standard
// input and output with the engine that SSH_TEST_ENGINE names, as sshd would with
// `docker system dial-stdio`. With ENGINE_TEST_CHILD it starts a container.
func TestMain(m *testing.M) {
	if os.Getenv("ENGINE_TEST_CHILD") != "" {
		os.Exit(child())
	}
	if filepath.Base(os.Args[0]) != "ssh" {
		os.Exit(m.Run())
	}
	c, err := net.Dial("unix", os.Getenv("SSH_TEST_ENGINE"))
	if err != nil {
		os.Stderr.WriteString("ssh: connect to host build port 22: Connection refused\n")
		os.Exit(255)
	}
	go func() {
		io.Copy(c, os.Stdin)
		c.(*net.UnixConn).CloseWrite()
	}()
	io.Copy(os.Stdout, c)
}

// fakeSSH puts this test binary into PATH as ssh.
func fakeSSH(t *testing.T, engine string) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.Symlink(self, filepath.Join(dir, "ssh")); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
	t.Setenv("SSH_TEST_ENGINE", engine)
}

// clearEnv takes away whatever names an engine, and gives the docker command's settings
// a folder of the test's own.
func clearEnv(t *testing.T) (config string) {
	t.Helper()
	for _, name := range []string{"DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_TLS", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH", "DOCKER_API_VERSION"} {
		t.Setenv(name, "")
	}
	config = t.TempDir()
	t.Setenv("DOCKER_CONFIG", config)
	return config
}

// connects tells whether Connect reaches exactly this engine.
func connects(t *testing.T, to *loopback) {
	t.Helper()
	e, err := Connect(t.Context(), "/checkout", "tcapflow")
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	if e.Arch != "amd64" || e.CPUs != 2 {
		t.Errorf("the engine is %s with %d CPUs", e.Arch, e.CPUs)
	}
	if !slices.Contains(to.called(), "GET /info") {
		t.Error("another engine was asked")
	}
}

// makeContext writes a Docker context as `docker context create` does.
func makeContext(t *testing.T, config, name, host string, tls map[string][]byte) {
	t.Helper()
	s := store.New(filepath.Join(config, "contexts"), store.NewConfig(func() any { return &map[string]any{} },
		store.EndpointTypeGetter(docker.DockerEndpoint, func() any { return &docker.EndpointMeta{} })))
	err := s.CreateOrUpdate(store.Metadata{Name: name, Metadata: map[string]any{}, Endpoints: map[string]any{
		docker.DockerEndpoint: docker.EndpointMeta{Host: host}}})
	if err == nil && tls != nil {
		err = s.ResetEndpointTLSMaterial(name, docker.DockerEndpoint, &store.EndpointTLSData{Files: tls})
	}
	if err != nil {
		t.Fatal(err)
	}
}

// useContext does what `docker context use` does.
func useContext(t *testing.T, config, name string) {
	t.Helper()
	text, _ := json.Marshal(map[string]string{"currentContext": name})
	if err := os.WriteFile(filepath.Join(config, "config.json"), text, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestDockerHost(t *testing.T) {
	config := clearEnv(t)
	other := newLoopback(t, docker20)
	makeContext(t, config, "other", other.plain(), nil)
	useContext(t, config, "other")
	t.Setenv("DOCKER_CONTEXT", "other")
	named := newLoopback(t, docker20)
	t.Setenv("DOCKER_HOST", named.plain())
	connects(t, named)
	if len(other.called()) > 0 {
		t.Error("a context went before DOCKER_HOST")
	}
}

func TestContext(t *testing.T) {
	config := clearEnv(t)
	used, named := newLoopback(t, docker20), newLoopback(t, docker20)
	makeContext(t, config, "used", "unix://"+used.socket(t), nil)
	makeContext(t, config, "named", named.plain(), nil)
	useContext(t, config, "used")
	connects(t, used)
	t.Setenv("DOCKER_CONTEXT", "named")
	connects(t, named)
}

func TestContextTLS(t *testing.T) {
	config := clearEnv(t)
	l := newLoopback(t, docker20)
	l.StartTLS()
	host := "tcp://" + l.Listener.Addr().String()
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: l.Certificate().Raw})
	makeContext(t, config, "far", host, map[string][]byte{"ca.pem": ca})
	useContext(t, config, "far")
	connects(t, l)
	makeContext(t, config, "untrusted", host, map[string][]byte{"ca.pem": []byte("nothing")})
	t.Setenv("DOCKER_CONTEXT", "untrusted")
	if _, err := Connect(t.Context(), "", "tcapflow"); err == nil {
		t.Error("a server was trusted without a certificate")
	}
}

func TestCertPath(t *testing.T) {
	clearEnv(t)
	l := newLoopback(t, docker20)
	l.StartTLS()
	dir := t.TempDir()
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: l.Certificate().Raw})
	if err := os.WriteFile(filepath.Join(dir, "ca.pem"), ca, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("DOCKER_HOST", "tcp://"+l.Listener.Addr().String())
	t.Setenv("DOCKER_TLS_VERIFY", "1")
	t.Setenv("DOCKER_CERT_PATH", dir)
	connects(t, l)
}

func TestSSH(t *testing.T) {
	config := clearEnv(t)
	l := newLoopback(t, docker20)
	fakeSSH(t, l.socket(t))
	t.Setenv("DOCKER_HOST", "ssh://build@localhost")
	connects(t, l)
	t.Setenv("DOCKER_HOST", "")
	makeContext(t, config, "far", "ssh://build@localhost", nil)
	t.Setenv("DOCKER_CONTEXT", "far")
	connects(t, l)
}

// The docker command and we read each other's files.
func TestContextOfDocker(t *testing.T) {
	command, err := exec.LookPath("docker")
	if err != nil {
		t.Skip("no docker command on PATH")
	}
	config := clearEnv(t)
	l := newLoopback(t, docker20)
	for _, args := range [][]string{{"context", "create", "made", "--docker", "host=" + l.plain()}, {"context", "use", "made"}} {
		if out, err := exec.Command(command, args...).CombinedOutput(); err != nil {
			t.Fatalf("docker %s: %v\n%s", args, err, out)
		}
	}
	if name, err := usedContext(filepath.Join(config, "config.json")); err != nil || name != "made" {
		t.Fatalf("the context in use is %q, %v", name, err)
	}
	connects(t, l)
}

// What cannot be an engine is refused at once, in one line, with exit code 3.
func TestRefused(t *testing.T) {
	l := newLoopback(t, docker20)
	plain := l.plain()
	for _, test := range []struct {
		name string
		env  map[string]string
		line string
		next string
	}{
		{"unknown context", map[string]string{"DOCKER_CONTEXT": "nowhere"}, `Docker context "nowhere": there is none of that name`, "docker context ls"},
		{"http", map[string]string{"DOCKER_HOST": "http://127.0.0.1:1"}, `DOCKER_HOST is "http://127.0.0.1:1": invalid bind address format`, "tcp://HOST:PORT"},
		{"password", map[string]string{"DOCKER_HOST": "ssh://build:secret@localhost"}, "password is not supported", "correct it"},
		{"ssh", map[string]string{"DOCKER_HOST": "ssh://build@localhost"}, "Connection refused", "correct it"},
		{"no certificates", map[string]string{"DOCKER_HOST": plain, "DOCKER_TLS_VERIFY": "1"}, "ca.pem: no such file", "DOCKER_CERT_PATH"},
		{"no certificates, no host", map[string]string{"DOCKER_TLS_VERIFY": "1"}, "ca.pem: no such file", "DOCKER_CERT_PATH"},
		{"API version", map[string]string{"DOCKER_HOST": plain, "DOCKER_API_VERSION": "1.99"}, "client version 1.99 is too new", `DOCKER_API_VERSION is "1.99": unset it`},
		{"no API version", map[string]string{"DOCKER_HOST": plain, "DOCKER_API_VERSION": "latest"}, "invalid API version", `DOCKER_API_VERSION is "latest": unset it`},
		{"nobody there", map[string]string{"DOCKER_HOST": "tcp://127.0.0.1:1"}, "Cannot connect to the Docker daemon at tcp://127.0.0.1:1", `DOCKER_HOST is "tcp://127.0.0.1:1": correct it`},
	} {
		t.Run(test.name, func(t *testing.T) {
			clearEnv(t)
			fakeSSH(t, filepath.Join(t.TempDir(), "nothing"))
			for name, value := range test.env {
				t.Setenv(name, value)
			}
			_, err := Connect(t.Context(), "", "tcapflow")
			var got *fault.Error
			if !errors.As(err, &got) || got.Code != fault.Engine {
				t.Fatalf("%v: no engine fault", err)
			}
			if line := got.Err.Error(); !strings.Contains(line, test.line) || strings.Contains(line, "\n") || !strings.HasPrefix(line, "container engine: ") || !strings.Contains(got.Next, test.next) {
				t.Errorf("got %q, next %q", line, got.Next)
			}
		})
	}
}

func TestDamagedConfig(t *testing.T) {
	config := clearEnv(t)
	if err := os.WriteFile(filepath.Join(config, "config.json"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	var got *fault.Error
	if _, err := Connect(t.Context(), "", "tcapflow"); !errors.As(err, &got) || got.Code != fault.Engine || !strings.Contains(got.Err.Error(), "config.json") {
		t.Errorf("got %v", err)
	}
}

// child starts a container of a local image, in a process of its own: testcontainers
// reads its settings once.
func child() int {
	e, err := Connect(context.Background(), "/checkout", "tcapflow")
	if err == nil {
		_, err = e.Start(context.Background(), Spec{Image: "tcapflow-builder:one", Cmd: []string{"sleep", "600"}})
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// noBridge is a daemon with --bridge=none and one local image.
var noBridge = map[string]string{
	"GET /networks":                          `[{"Name":"host","Id":"1","Driver":"host"},{"Name":"none","Id":"2","Driver":"null"}]`,
	"GET /images/tcapflow-builder:one/json":  `{"Id":"sha256:1","Os":"linux","Architecture":"amd64","Config":{}}`,
	"POST /containers/create":                `{"Id":"c10000000000"}`,
	"POST /containers/c10000000000/start":    ``,
	"GET /containers/c10000000000/json":      `{"Id":"c10000000000","State":{"Running":true,"Status":"running"},"Config":{}}`,
	"POST /networks/create":                  `{"Id":"3"}`,
	"POST /images/create":                    `{"status":"pulled"}`,
	"GET /images/testcontainers%2Fryuk/json": `{"Id":"sha256:2"}`,
}

// Testcontainers obeys settings of its own; for our containers ours count. And it makes a
// network where there is no bridge; it must not.
func TestTestcontainersSettings(t *testing.T) {
	for name, env := range map[string][]string{
		"environment": {"TESTCONTAINERS_HUB_IMAGE_NAME_PREFIX=registry.invalid/mirror", "TESTCONTAINERS_RYUK_DISABLED=false", "TESTCONTAINERS_PROVIDER=unknown",
			"TESTCONTAINERS_SESSION_ID=/not/a/name", "TESTCONTAINERS_HOST_OVERRIDE=192.0.2.1", "TESTCONTAINERS_DOCKER_SOCKET_OVERRIDE=/nowhere"},
		"properties": {"TC_PROPERTIES=hub.image.name.prefix=registry.invalid/mirror\ntc.host=tcp://127.0.0.1:1\ndocker.host=tcp://127.0.0.1:1\n" +
			"session.id=/not/a/name\nryuk.disabled=false\nprovider=unknown\ndocker.tls.verify=1\n"},
		"damaged": {"TC_PROPERTIES=ryuk.disabled=perhaps\n"},
	} {
		t.Run(name, func(t *testing.T) {
			config := clearEnv(t)
			l := newLoopback(t, docker20, noBridge)
			home := t.TempDir()
			if text, ok := strings.CutPrefix(env[0], "TC_PROPERTIES="); ok {
				if err := os.WriteFile(filepath.Join(home, ".testcontainers.properties"), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
				env = nil
			}
			self, err := os.Executable()
			if err != nil {
				t.Fatal(err)
			}
			run := exec.Command(self)
			run.Env = append(env, "ENGINE_TEST_CHILD=1", "HOME="+home, "DOCKER_CONFIG="+config, "DOCKER_HOST="+l.plain())
			if out, err := run.CombinedOutput(); err != nil || len(out) > 0 {
				t.Fatalf("%v\n%s", err, out)
			}
			calls := l.called()
			if !slices.Contains(calls, "POST /containers/c10000000000/start") {
				t.Errorf("nothing was started: %q", calls)
			}
			for _, call := range calls {
				if strings.HasPrefix(call, "POST /images/create") || strings.HasPrefix(call, "POST /networks/create") || strings.Contains(call, "ryuk") {
					t.Errorf("the engine was asked for %s", call)
				}
			}
		})
	}
}
