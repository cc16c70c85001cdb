package host

import (
	"context"
	"errors"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/tcapflow/tcapflow/pipeline/internal/fault"
)

// Settings of another build do not count; those that say where modules come from do.
func TestGo(t *testing.T) {
	for name, value := range map[string]string{
		"GOFLAGS": "-mod=vendor -tags=x", "GOOS": "plan9", "GOARCH": "mips", "GOWORK": "/nowhere/go.work",
		"CGO_ENABLED": "0", "GOPROXY": "https://proxy.example",
	} {
		t.Setenv(name, value)
	}
	said, err := Go(t.Context(), t.TempDir(), []string{"GOARCH=s390x"}, "env", "GOFLAGS", "GOOS", "GOARCH", "GOWORK", "GOPROXY")
	if err != nil {
		t.Fatal(err)
	}
	host, err := Go(t.Context(), t.TempDir(), nil, "env", "GOHOSTOS")
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"-buildvcs=false", strings.TrimSpace(host), "s390x", "off", "https://proxy.example", ""}
	if got := strings.Split(said, "\n"); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestOutputFails(t *testing.T) {
	_, err := Go(t.Context(), t.TempDir(), nil, "list", "./nowhere")
	var f *fault.Error
	if !errors.As(err, &f) || f.Code != fault.Failed || !strings.HasPrefix(err.Error(), "go list: exit status ") || f.Log == "" {
		t.Errorf("got %v", err)
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Go(cancelled, t.TempDir(), nil, "env"); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	missing := exec.CommandContext(t.Context(), "/nowhere/program", "-x")
	if _, err := Output(t.Context(), missing); err == nil || !strings.HasPrefix(err.Error(), "program -x: ") {
		t.Errorf("got %v", err)
	}
}

func TestGitEnv(t *testing.T) {
	got := GitEnv([]string{"GIT_DIR=/x", "GIT_CONFIG_COUNT=1", "PATH=/bin", "GIT_INDEX_FILE=y"})
	want := []string{"GIT_CONFIG_COUNT=1", "PATH=/bin", "LC_ALL=C", "TZ=UTC", "GIT_OPTIONAL_LOCKS=0"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
