package release

import (
	"embed"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"go.yaml.in/yaml/v3"

	"github.com/tcapflow/tcapflow/pipeline/internal/fault"
)

// defaultConfig is how a project is packed. Its .goreleaser.yaml says only what differs.
//
//go:embed goreleaser.yaml
var defaultConfig []byte

// scripts are run by dpkg.
//
//go:embed deb/preinst deb/postinst
var scripts embed.FS

const scriptsDir = "deb"

// writeScripts puts the scripts where RELEASE_SCRIPTS says.
func (s *stage) writeScripts() error {
	below, err := fs.Sub(scripts, "deb")
	if err != nil {
		return err
	}
	return os.CopyFS(s.path(scriptsDir), below)
}

// config is the library's way to pack, with what the project's .goreleaser.yaml says laid
// over it, and what build/ says filled in.
func (s *stage) config() ([]byte, error) {
	c, err := parseConfig(defaultConfig)
	if err != nil {
		return nil, err
	}
	text, err := os.ReadFile(filepath.Join(s.Root, ".goreleaser.yaml"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) { // a project may have nothing to say
		return nil, err
	}
	own, err := parseConfig(text)
	if err != nil {
		return nil, err
	}
	lay(c, own)
	builds, _ := c["builds"].([]any)
	if len(builds) != 1 {
		return nil, fault.New(fault.Usage, "", "has %d builds, want 1", len(builds))
	}
	// Relative, so that artifacts.json has no path of this machine.
	if c["dist"], err = filepath.Rel(s.Root, s.path("dist")); err != nil {
		return nil, err
	}
	c["project_name"] = s.Project.Name
	b, ok := builds[0].(map[string]any)
	if !ok {
		return nil, fault.New(fault.Usage, "", "its build is no mapping")
	}
	b["main"], b["binary"] = s.Project.Main, s.Project.Name
	var targets []string
	for _, t := range s.Targets {
		targets = append(targets, platform(t))
	}
	b["targets"] = targets
	return yaml.Marshal(c)
}

func parseConfig(text []byte) (map[string]any, error) {
	c := map[string]any{}
	return c, yaml.Unmarshal(text, &c)
}

// lay puts a mapping over another: mappings are joined, key by key, and so are two lists of
// one mapping each, such as a file's one nfpm; of everything else, the upper counts.
func lay(lower, upper map[string]any) {
	for key, value := range upper {
		was, now := only(lower[key]), only(value)
		if was != nil && now != nil {
			lay(was, now)
		} else {
			lower[key] = value
		}
	}
}

// only is a mapping, or the one that a list holds; nil for anything else.
func only(value any) map[string]any {
	if list, ok := value.([]any); ok && len(list) == 1 {
		value = list[0]
	}
	m, _ := value.(map[string]any)
	return m
}
