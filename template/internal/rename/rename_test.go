package rename

import (
	"strings"
	"testing"
)

var (
	old  = Names{Module: "github.com/oldflow/oldflow", Program: "oldflow-client", Namespace: "oldflow"}
	mine = Names{Module: "example.org/you/your-tool/v2", Program: "your-tool", Namespace: "your-tool"}
)

func renamer(t *testing.T, from, to Names) *Renamer {
	t.Helper()
	r, err := New(from, to)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestPath(t *testing.T) {
	r := renamer(t, old, mine)
	for name, want := range map[string]string{
		"cmd/oldflow-client/main.go": "cmd/your-tool/main.go", "go.mod": "go.mod",
		"docs/oldflow_client.md": "docs/your_tool.md",
	} {
		if got := r.Path(name); got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
}

func TestText(t *testing.T) {
	r := renamer(t, old, mine)
	for text, want := range map[string]string{
		"module github.com/oldflow/oldflow/tools":          "module example.org/you/your-tool/v2/tools",
		"OLDFLOW_CACHE=~/.cache/oldflow":                   "YOUR_TOOL_CACHE=~/.cache/your-tool",
		"dev.oldflow.owner oldflow-builder:1":              "dev.your-tool.owner your-tool-builder:1",
		"oldflow_packets_total{} _oldflow_client_known()":  "your_tool_packets_total{} _your_tool_known()",
		"_oldflow-client Oldflow OldflowClient OLDFLOW":    "_your-tool YourTool YourTool YOUR_TOOL",
		"flow old-flow TCAP":                               "flow old-flow TCAP",
		"https://github.com/oldflow/oldflow/issues: other": "https://example.org/you/your-tool/v2/issues: other",
	} {
		got, err := r.File("page.md", []byte(text))
		if err != nil || string(got) != want {
			t.Errorf("%q is %q, %v; want %q", text, got, err, want)
		}
	}
}

func TestGo(t *testing.T) {
	r := renamer(t, old, mine)
	const source = `package x

import (
	"fmt"

	"github.com/oldflow/oldflow/spec"
	"a.example/b"
)

// OldflowClient is oldflow-client.
var OldflowClient, oldflowKey, viaOldflow = "oldflow-client", 1, ` + "`oldflow\r\n`" + `

type oldflow struct {
	oldflow int // of oldflow
	x       oldflow_t
}
`
	const want = `package x

import (
	"fmt"

	"a.example/b"
	"example.org/you/your-tool/v2/spec"
)

// YourTool is your-tool.
var YourTool, yourToolKey, viaYourTool = "your-tool", 1, `
	got, err := r.File("x.go", []byte(source))
	if err == nil {
		t.Errorf("a literal with a carriage return was renamed unseen: %s", got)
	}
	got, err = r.File("x.go", []byte(strings.ReplaceAll(source, "\r", "")))
	if err != nil || !strings.HasPrefix(string(got), want) || !strings.Contains(string(got),
		"\tyourTool int // of your-tool\n\tx        your_tool_t\n") {
		t.Errorf("%v\n%s", err, got)
	}
	// What is no Go, such as a test's input, is renamed all the same.
	if got, err := r.File("broken.go", []byte("package (oldflow \"oldflow")); err != nil ||
		string(got) != "package (yourTool \"your-tool" {
		t.Errorf("%q, %v", got, err)
	}
}

// What is left would be found by nobody.
func TestTraces(t *testing.T) {
	r := renamer(t, old, mine)
	for _, text := range []string{"OldFlow", "oLDFLOW", "\xff\xfe oldflow"} {
		if got, err := r.File("x", []byte(text)); err == nil {
			t.Errorf("%q is %q", text, got)
		}
	}
	if got, err := r.File("x.pcap", []byte("\xff\xfe other")); err != nil || string(got) != "\xff\xfe other" {
		t.Errorf("%q, %v", got, err)
	}
	// A name that has the old one in it.
	longer := Names{Module: "example.org/oldflow2", Program: "oldflow2", Namespace: "oldflow2"}
	if got, err := renamer(t, old, longer).File("x", []byte("oldflow OLDFLOW_X")); err != nil ||
		string(got) != "oldflow2 OLDFLOW2_X" {
		t.Errorf("%q, %v", got, err)
	}
}
