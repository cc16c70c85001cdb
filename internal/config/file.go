package config

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// maxFile bounds the octets of a configuration: the parser makes nodes of all of it.
const maxFile = 1 << 18

// file reads settings from a YAML file.
func (s *Source) file(name string) ([]setting, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	content, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, err
	}
	if len(content) > maxFile {
		return nil, fmt.Errorf("%w: %s: larger than %d octets", ErrValue, name, maxFile)
	}
	return s.parse(name, content)
}

// parse reads a mapping of names to a value, or to a list of values.
func (s *Source) parse(name string, content []byte) ([]setting, error) {
	var document yaml.Node
	if err := yaml.Unmarshal(content, &document); err != nil {
		text := strings.TrimPrefix(err.Error(), "yaml: ")
		return nil, fmt.Errorf("%w: %s: %s", ErrValue, name, strings.ReplaceAll(text, "\n", ""))
	}
	if len(document.Content) == 0 || document.Content[0].Tag == "!!null" {
		return nil, nil // nothing but comments
	}
	top := document.Content[0]
	if top.Kind != yaml.MappingNode {
		return nil, fmt.Errorf("%w: %s:%d: want lines of NAME: VALUE", ErrValue, name, top.Line)
	}
	var settings []setting
	for i := 0; i+1 < len(top.Content); i += 2 {
		key, value := top.Content[i], top.Content[i+1]
		one := setting{name: key.Value, origin: fmt.Sprintf("%s:%d", name, key.Line)}
		if key.Kind != yaml.ScalarNode || one.name == FileFlag || !slices.Contains(s.Known, one.name) {
			return nil, s.unknown(one.origin, one.name, s.Known)
		}
		same := func(other setting) bool { return other.name == one.name }
		if at := slices.IndexFunc(settings, same); at >= 0 {
			return nil, one.wrong("stands there twice, first at %s", settings[at].origin)
		}
		var err error
		if one.values, err = scalars(&one, value); err != nil {
			return nil, err
		}
		settings = append(settings, one)
	}
	return settings, nil
}

// scalars are the values of a key.
func scalars(s *setting, n *yaml.Node) ([]string, error) {
	nodes := []*yaml.Node{n}
	if n.Kind == yaml.SequenceNode {
		nodes = n.Content
	}
	var values []string
	for _, n := range nodes {
		if n.Kind != yaml.ScalarNode || n.Tag == "!!null" {
			return nil, s.wrong("want a value, or a list of values")
		}
		values = append(values, n.Value)
	}
	return values, nil
}
