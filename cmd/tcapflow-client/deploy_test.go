package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const deploy = "../../deploy/systemd"

// TestUnit has systemd read the unit. It is shown with a program that is there: it refuses
// one that is not.
func TestUnit(t *testing.T) {
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("no systemd-analyze: the unit is not verified")
	}
	unit, err := os.ReadFile(filepath.Join(deploy, "tcapflow-client.service"))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(unit, []byte("ExecStart=/usr/bin/tcapflow-client capture\n")) {
		t.Fatal("the unit starts something else")
	}
	name := filepath.Join(t.TempDir(), "tcapflow-client.service")
	unit = bytes.ReplaceAll(unit, []byte("/usr/bin/tcapflow-client"), []byte("/bin/sh"))
	if err := os.WriteFile(name, unit, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(analyze, "verify", name).CombinedOutput()
	if err != nil || strings.Contains(string(out), "tcapflow-client") {
		t.Errorf("systemd-analyze verify: %v\n%s", err, out)
	}
}

// TestUnitSettings reads the unit's settings as the program would.
func TestUnitSettings(t *testing.T) {
	unit, err := os.ReadFile(filepath.Join(deploy, "tcapflow-client.service"))
	if err != nil {
		t.Fatal(err)
	}
	settings := 0
	for line := range strings.Lines(string(unit)) {
		text, ok := strings.CutPrefix(strings.TrimSpace(line), "Environment=")
		if name, value, _ := strings.Cut(text, "="); ok && name != "TCAPFLOW_CLIENT_CONFIG" {
			t.Setenv(name, value)
			settings++
		}
	}
	var stdout, stderr bytes.Buffer
	args := []string{"config", "-config", filepath.Join(deploy, "tcapflow-client.yaml")}
	if code := run(args, os.Stdin, &stdout, &stderr); code != exitOK || settings < 2 {
		t.Errorf("exit code %d with %d variables: %s", code, settings, &stderr)
	}
}
