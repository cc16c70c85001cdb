// Package artifact keeps out/: the verified binaries and the manifest that says what
// they are. It is the only room that writes there.
//
// In: a checked binary and its facts. Out: out/<os>_<arch>[_<variant>]/NAME and
// out/manifest.json, which release, distro and verify read instead of guessing names.
// Each file is written beside its place and renamed into it, the manifest last.
package artifact

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/tcapflow/tcapflow/elfcheck"
	"github.com/tcapflow/tcapflow/pipeline/internal/fault"
	"github.com/tcapflow/tcapflow/pipeline/internal/files"
)

const manifestName = "manifest.json"

// Manifest is out/manifest.json.
type Manifest struct {
	Project   string     `json:"project"`
	Artifacts []Artifact `json:"artifacts"` // by target, then variant
	// Builders has the inputs of each builder (/etc/builder.json), by Artifact.Builder.
	Builders map[string]json.RawMessage `json:"builders"`
}

// Artifact is a binary that passed the gate.
type Artifact struct {
	Target  string `json:"target"`            // linux/arm/v7
	Variant string `json:"variant,omitempty"` // "debug", or none
	Path    string `json:"path"`              // relative to out/, with slashes
	Size    int64  `json:"size"`              // bytes
	SHA256  string `json:"sha256"`            // lower-case hex
	Key     string `json:"key"`               // hash of all that it was made of
	Version string `json:"version"`           // as stamped into it
	Commit  string `json:"commit"`
	Date    string `json:"date"` // RFC 3339, of the commit
	Base    string `json:"base"` // builder base: debian or alpine
	Engine  string `json:"engine_arch"`
	Builder string `json:"builder"` // key in Manifest.Builders
	// StandIns are C libraries that are not of the pinned version; a release refuses them.
	StandIns []string       `json:"stand_ins,omitempty"`
	ELF      elfcheck.Facts `json:"elf"`
}

// Load reads out/manifest.json; that there is none yet is an empty manifest.
func Load(out string) (Manifest, error) {
	text, err := os.ReadFile(filepath.Join(out, manifestName))
	if errors.Is(err, fs.ErrNotExist) {
		return Manifest{}, nil
	}
	if err != nil {
		return Manifest{}, err
	}
	var m Manifest
	if err := json.Unmarshal(text, &m); err != nil {
		return Manifest{}, unusable(out, "%w", err)
	}
	for _, a := range m.Artifacts {
		if !filepath.IsLocal(filepath.FromSlash(a.Path)) {
			return Manifest{}, unusable(out, "path %q leads out of out/", a.Path)
		}
	}
	return m, nil
}

func unusable(out, format string, args ...any) error {
	err := fmt.Errorf(format, args...)
	return fault.New(fault.Failed, "remove it and run `mage static`", "%s: %w", filepath.Join(out, manifestName), err)
}

// Find returns the artifact of a target and variant.
func (m Manifest) Find(target, variant string) (Artifact, bool) {
	for _, a := range m.Artifacts {
		if a.Target == target && a.Variant == variant {
			return a, true
		}
	}
	return Artifact{}, false
}

// Intact reports whether the artifact's bytes are those that were committed.
func (a Artifact) Intact(out string) bool {
	sum, size, err := digest(filepath.Join(out, filepath.FromSlash(a.Path)))
	return err == nil && size == a.Size && sum == a.SHA256
}

func digest(name string) (sum string, size int64, err error) {
	f, err := os.Open(name)
	if err != nil {
		return "", 0, err
	}
	defer f.Close()
	h := sha256.New()
	if size, err = io.Copy(h, f); err != nil {
		return "", 0, err
	}
	return hex.EncodeToString(h.Sum(nil)), size, nil
}

// Staged is a binary that lies in out/ under a temporary name until it is committed.
type Staged struct {
	Artifact
	Temp string
}

// Stage writes a binary beside its place and fills path, size and digest. The caller
// commits it, or discards it with os.Remove(Temp).
func Stage(out, project, dir string, r io.Reader) (Staged, error) {
	folder := filepath.Join(out, dir)
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return Staged{}, err
	}
	f, err := os.CreateTemp(folder, "."+project+"-*")
	if err != nil {
		return Staged{}, err
	}
	s := Staged{Temp: f.Name(), Artifact: Artifact{Path: dir + "/" + project}}
	h := sha256.New()
	s.Size, err = io.Copy(io.MultiWriter(f, h), r)
	s.SHA256 = hex.EncodeToString(h.Sum(nil))
	err = errors.Join(err, f.Chmod(0o755), f.Close())
	if err != nil {
		os.Remove(f.Name())
		return Staged{}, fmt.Errorf("%s: %w", filepath.Join(out, s.Path), err)
	}
	return s, nil
}

// Commit moves staged binaries into place and writes the manifest that has them.
// Builders that no artifact names any more are dropped from it.
func Commit(out, project string, staged []Staged, builders map[string]json.RawMessage) error {
	m, err := Load(out)
	if err != nil {
		return err
	}
	m.Project = project
	for _, s := range staged {
		if err := os.Rename(s.Temp, filepath.Join(out, filepath.FromSlash(s.Path))); err != nil {
			return err
		}
		same := func(a Artifact) bool { return a.Target == s.Target && a.Variant == s.Variant }
		m.Artifacts = slices.DeleteFunc(m.Artifacts, same)
		m.Artifacts = append(m.Artifacts, s.Artifact)
	}
	slices.SortFunc(m.Artifacts, func(a, b Artifact) int {
		return strings.Compare(a.Target+" "+a.Variant, b.Target+" "+b.Variant)
	})
	used := map[string]json.RawMessage{}
	for _, a := range m.Artifacts {
		for _, known := range []map[string]json.RawMessage{m.Builders, builders} {
			if info, ok := known[a.Builder]; ok {
				used[a.Builder] = info
			}
		}
	}
	m.Builders = used
	text, err := json.MarshalIndent(m, "", " ")
	if err != nil {
		return err
	}
	return files.Write(filepath.Join(out, manifestName), append(text, '\n'))
}
