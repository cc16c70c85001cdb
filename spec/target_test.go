package spec

import (
	"strings"
	"testing"
)

func TestSelect(t *testing.T) {
	table := Targets{
		Built:   []Target{{Name: "linux/amd64", GOARCH: "amd64"}, {Name: "linux/s390x"}},
		LeftOut: map[string]string{"linux/mips64": "as linux/mips"},
	}
	got, err := table.Select(" linux/s390x ,linux/amd64")
	if err != nil || strings.Join(Names(got), " ") != "linux/amd64 linux/s390x" {
		t.Errorf("%v, %v", Names(got), err)
	}
	if got, err := table.Select(""); err != nil || len(got) != len(table.Built) {
		t.Errorf("all: %v, %v", Names(got), err)
	}
	for names, want := range map[string]string{"linux/mips64": "left out: as linux/mips", "linux": "known: linux/amd64, ", "linux/*": "unknown target"} {
		if got, err := table.Select(names); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, %v", names, Names(got), err)
		}
	}
	if got := (Target{Name: "linux/arm/v7"}).Dir(); got != "linux_arm_v7" {
		t.Errorf("folder %s", got)
	}
}

// A project may build nothing for the engine's own architecture.
func TestOfArch(t *testing.T) {
	table := Targets{Built: []Target{{Name: "linux/arm64", GOARCH: "arm64", Triple: "aarch64-linux-musl"}}}
	if got := table.OfArch("amd64"); got.GOARCH != "amd64" || got.Debian != "amd64" || got.Name != "linux/amd64" {
		t.Errorf("got %+v", got)
	}
	if got := table.OfArch("arm64"); got.Triple == "" {
		t.Errorf("got %+v, not the row of the table", got)
	}
}

func TestNamespace(t *testing.T) {
	n := Namespace("your-tool")
	if n.Variable("CACHE") != "YOUR_TOOL_CACHE" || n.Label("owner") != "dev.your-tool.owner" {
		t.Error(n.Variable("CACHE"), n.Label("owner"))
	}
}
