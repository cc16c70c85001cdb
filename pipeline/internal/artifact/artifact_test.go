package artifact

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/tcapflow/tcapflow/elfcheck"
	"github.com/tcapflow/tcapflow/pipeline/internal/fault"
)

// files lists what stands below a folder, without the folders themselves.
func filesIn(t *testing.T, dir string) (list []string) {
	t.Helper()
	if err := filepath.WalkDir(dir, func(name string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			rel, _ := filepath.Rel(dir, name)
			list = append(list, rel)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return list
}

func stage(t *testing.T, out, target, variant, builder, text string) Staged {
	t.Helper()
	dir := strings.Trim(strings.ReplaceAll(target, "/", "_")+"_"+variant, "_")
	s, err := Stage(out, "prog", dir, strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	s.Target, s.Variant, s.Builder, s.Key = target, variant, builder, "key of "+text
	return s
}

func TestRoundTrip(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out")
	if m, err := Load(out); err != nil || m.Artifacts != nil {
		t.Fatalf("before the first build: %+v, %v", m, err)
	}
	s := stage(t, out, "linux/arm/v7", "", "b1", "binary")
	s.Version, s.Commit, s.Date, s.Base, s.Engine, s.StandIns = "1.2.3", "abc", "2026-03-04T03:06:07Z", "debian", "amd64", []string{"libpcap 1.10.5"}
	s.ELF = elfcheck.Facts{Machine: "EM_ARM", Type: "ET_DYN", PIE: true, StackSize: 1 << 20}
	sum := sha256.Sum256([]byte("binary"))
	if s.Path != "linux_arm_v7/prog" || s.Size != 6 || s.SHA256 != hex.EncodeToString(sum[:]) {
		t.Errorf("staged %+v", s.Artifact)
	}
	if got := filesIn(t, out); len(got) != 1 || !strings.HasPrefix(got[0], "linux_arm_v7/.prog-") {
		t.Errorf("the binary has its name before it is committed: %q", got)
	}
	if err := Commit(out, "prog", []Staged{s}, map[string]json.RawMessage{"b1": json.RawMessage(`{"a":1}`)}); err != nil {
		t.Fatal(err)
	}
	m, err := Load(out)
	if err != nil {
		t.Fatal(err)
	}
	got, ok := m.Find("linux/arm/v7", "")
	if !ok || !reflect.DeepEqual(got, s.Artifact) || m.Project != "prog" {
		t.Errorf("read back %+v\nwant      %+v", got, s.Artifact)
	}
	var info struct{ A int }
	if err := json.Unmarshal(m.Builders["b1"], &info); err != nil || info.A != 1 {
		t.Errorf("builder %s: %v", m.Builders["b1"], err)
	}
	if got := filesIn(t, out); !slices.Equal(got, []string{"linux_arm_v7/prog", "manifest.json"}) {
		t.Errorf("left in out/: %q", got)
	}
	for name, want := range map[string]os.FileMode{"linux_arm_v7/prog": 0o755, "manifest.json": 0o644} {
		if info, err := os.Stat(filepath.Join(out, name)); err != nil || info.Mode() != want {
			t.Errorf("%s: %v, %v", name, info.Mode(), err)
		}
	}
}

// A second commit replaces an artifact, keeps the others, sorts them and forgets builders without one.
func TestCommitAgain(t *testing.T) {
	out := t.TempDir()
	commit := func(builders map[string]json.RawMessage, staged ...Staged) Manifest {
		t.Helper()
		if err := Commit(out, "prog", staged, builders); err != nil {
			t.Fatal(err)
		}
		m, err := Load(out)
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	object := func(names ...string) map[string]json.RawMessage {
		m := map[string]json.RawMessage{}
		for _, n := range names {
			m[n] = json.RawMessage(`{}`)
		}
		return m
	}
	commit(object("old", "kept", "unused"), stage(t, out, "linux/arm64", "", "kept", "1"), stage(t, out, "linux/amd64", "debug", "old", "2"), stage(t, out, "linux/amd64", "", "old", "3"))
	m := commit(object("new"), stage(t, out, "linux/amd64", "debug", "new", "4"), stage(t, out, "linux/amd64", "", "new", "5"))
	var got []string
	for _, a := range m.Artifacts {
		got = append(got, a.Path+" "+a.Key)
		if !a.Intact(out) {
			t.Errorf("%s is not intact", a.Path)
		}
	}
	if want := []string{"linux_amd64/prog key of 5", "linux_amd64_debug/prog key of 4", "linux_arm64/prog key of 1"}; !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
	if len(m.Builders) != 2 || m.Builders["new"] == nil || m.Builders["kept"] == nil {
		t.Errorf("builders %s", m.Builders)
	}
	if _, ok := m.Find("linux/arm64", "debug"); ok {
		t.Error("found a variant that is not there")
	}
}

func TestIntact(t *testing.T) {
	out := t.TempDir()
	s := stage(t, out, "linux/amd64", "", "b", "binary")
	if s.Intact(out) {
		t.Error("intact before it is there")
	}
	if err := Commit(out, "prog", []Staged{s}, nil); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(out, s.Path)
	for text, want := range map[string]bool{"binary": true, "binarY": false, "binary ": false, "": false} {
		if err := os.WriteFile(name, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
		if got := s.Intact(out); got != want {
			t.Errorf("%q: %t", text, got)
		}
	}
}

// A transfer that ends early leaves no file, and what was there stays.
func TestStageFails(t *testing.T) {
	out := t.TempDir()
	if err := Commit(out, "prog", []Staged{stage(t, out, "linux/amd64", "", "b", "good")}, nil); err != nil {
		t.Fatal(err)
	}
	before := filesIn(t, out)
	cut := errors.New("cut")
	if _, err := Stage(out, "prog", "linux_amd64", io.MultiReader(strings.NewReader("half"), iotest.ErrReader(cut))); !errors.Is(err, cut) || !strings.Contains(err.Error(), "linux_amd64/prog") {
		t.Errorf("got %v", err)
	}
	if after := filesIn(t, out); !slices.Equal(after, before) {
		t.Errorf("left %q", after)
	}
	m, err := Load(out)
	if err != nil || len(m.Artifacts) != 1 || !m.Artifacts[0].Intact(out) {
		t.Errorf("%+v, %v", m, err)
	}
}

// A commit that fails half-way does not claim what is not there.
func TestCommitFails(t *testing.T) {
	out := t.TempDir()
	first := stage(t, out, "linux/386", "", "b", "old")
	if err := Commit(out, "prog", []Staged{first}, nil); err != nil {
		t.Fatal(err)
	}
	gone := stage(t, out, "linux/amd64", "", "b", "x")
	if err := os.Remove(gone.Temp); err != nil {
		t.Fatal(err)
	}
	if err := Commit(out, "prog", []Staged{stage(t, out, "linux/386", "", "b", "new"), gone}, nil); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
	m, err := Load(out)
	if err != nil || len(m.Artifacts) != 1 {
		t.Fatalf("%+v, %v", m, err)
	}
	if m.Artifacts[0].Intact(out) {
		t.Error("the manifest vouches for bytes that it does not know: they would not be built again")
	}
}

func TestLoadHostile(t *testing.T) {
	for name, text := range map[string]string{
		"no JSON":   "{",
		"cut":       `{"project": "prog", "artifacts": [{"target"`,
		"above":     `{"artifacts": [{"path": "../../etc/passwd"}]}`,
		"absolute":  `{"artifacts": [{"path": "linux_amd64/prog"}, {"path": "/etc/passwd"}]}`,
		"within":    `{"artifacts": [{"path": "a/../../b"}]}`,
		"no path":   `{"artifacts": [{"target": "linux/amd64"}]}`,
		"wrong way": `{"artifacts": {"path": "a"}}`,
	} {
		t.Run(name, func(t *testing.T) {
			out := t.TempDir()
			if err := os.WriteFile(filepath.Join(out, manifestName), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
			m, err := Load(out)
			var f *fault.Error
			if !errors.As(err, &f) || f.Code != fault.Failed || !strings.Contains(err.Error(), manifestName) || f.Next == "" || m.Artifacts != nil {
				t.Errorf("got %+v, %v", m, err)
			}
		})
	}
}
