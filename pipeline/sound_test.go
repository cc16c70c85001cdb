package pipeline

import (
	"strings"
	"testing"

	"github.com/tcapflow/tcapflow/build/defaults"
	"github.com/tcapflow/tcapflow/spec"
)

func TestSound(t *testing.T) {
	for name, says := range map[string]string{
		"tool": "", "your-tool": "", "tool2.go": "", "7z": "",
		"ping meter": "cannot be the name", "Tool": "cannot be the name", "t": "cannot be the name", "": "cannot be the name",
		"tool_x": "cannot be the name", "-tool": "cannot be the name", "tool-": "cannot be the name",
		"a--b": "cannot be the name", "a+b": "cannot be the name", "../tool": "cannot be the name", "tööl": "cannot be the name",
	} {
		tells(t, name, sound(spec.Project{Name: name}), says)
	}
	with := func(l spec.Library) spec.Project { return spec.Project{Name: "tool", Libraries: []spec.Library{l}} }
	tells(t, "library", sound(with(spec.Library{Name: "../x"})), `library "../x"`)
	tells(t, "tool", sound(defaults.Fill(with(spec.Library{Name: "x", Tools: []string{"rust"}}))), `needs the tool "rust"`)
	tells(t, "tool", sound(defaults.Fill(with(spec.Library{Name: "x", Tools: []string{"perl"}}))), "")
}

// A library that a target cannot have is refused before anything is started.
func TestLinkable(t *testing.T) {
	jit := spec.Library{Name: "jit", LeftOut: map[string]string{"linux/riscv64": "no code for it"}}
	p := spec.Project{Libraries: []spec.Library{{Name: "server", Needs: []spec.Library{jit}}}}
	tells(t, "all", linkable(p, defaults.Targets.Built), "jit cannot be built for linux/riscv64: no code for it")
	tells(t, "the first", linkable(p, defaults.Targets.Built[:1]), "")
}

func tells(t *testing.T, what string, err error, says string) {
	t.Helper()
	if (err == nil) != (says == "") || err != nil && !strings.Contains(err.Error(), says) {
		t.Errorf("%s: %v, want %q", what, err, says)
	}
}
