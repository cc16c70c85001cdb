package pipeline_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tcapflow/tcapflow/pipeline/internal/artifact"
)

// native are the artifacts of out/ that this machine runs by itself.
func native(t *testing.T) map[string]string {
	t.Helper()
	if os.Getenv("TCAPFLOW_TEST_ENGINE") != "1" {
		t.Skip("skipped: artifacts are run with TCAPFLOW_TEST_ENGINE=1, after `mage static`")
	}
	m, err := artifact.Load("../out")
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	for _, a := range m.Artifacts {
		file, err := filepath.Abs(filepath.Join("../out", a.Path))
		if err != nil {
			t.Fatal(err)
		}
		if a.Variant == "" && exec.Command(file, "version").Run() == nil {
			found[a.Target] = file
		}
	}
	if len(found) == 0 {
		t.Fatal("no artifact of out/ runs on this machine")
	}
	return found
}

func run(t *testing.T, file string, args ...string) string {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd := exec.Command(file, args...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s %v: %v\n%s", file, args, err, stderr.String())
	}
	return stdout.String()
}

// TestArtifactsReadSynthetic compares what a built binary prints with what the pure-Go
// program printed when the golden was made.
func TestArtifactsReadSynthetic(t *testing.T) {
	const capture = "../cmd/tcapflow-client/testdata/dialogues"
	want, err := os.ReadFile(capture + ".jsonl")
	if err != nil {
		t.Fatal(err)
	}
	for target, file := range native(t) {
		t.Run(target, func(t *testing.T) {
			if got := run(t, file, "read", capture+".pcap"); got != string(want) {
				t.Errorf("differs from dialogues.jsonl:\n%s", got)
			}
		})
	}
}

// TestArtifactsReadReal reads a real capture, of which tshark says: 18 Begin, 8 Continue, 12 End.
func TestArtifactsReadReal(t *testing.T) {
	const capture = "../shared/captures/map_udt.pcap"
	if _, err := os.Stat(capture); err != nil {
		t.Skip("skipped: the real captures are not beside this checkout")
	}
	for target, file := range native(t) {
		t.Run(target, func(t *testing.T) {
			out := run(t, file, "read", capture)
			for text, want := range map[string]int{`"type":"message"`: 38, `"tcap":"begin"`: 18, `"tcap":"continue"`: 8, `"tcap":"end"`: 12, `"type":"dialogue"`: 18} {
				if got := strings.Count(out, text); got != want {
					t.Errorf("%d lines with %s, want %d", got, text, want)
				}
			}
		})
	}
}
