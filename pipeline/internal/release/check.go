package release

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/tcapflow/tcapflow/pipeline/internal/fault"
	"github.com/tcapflow/tcapflow/pipeline/internal/packed"
	"github.com/tcapflow/tcapflow/spec"
)

const (
	artifactsName = packed.ListName
	checksumsName = "checksums.txt"
	notesName     = "CHANGELOG.md" // GoReleaser's release notes; a snapshot has none
	imagesDir     = "images"
	digestsName   = "images.txt"
)

// uploads names what a release offers for download, sorted, but for checksums.txt.
func uploads(project, version string, targets []spec.Target) []string {
	names := []string{digestsName}
	for _, t := range targets {
		for _, ext := range []string{".tar.gz", ".deb"} {
			names = append(names, project+"_"+version+"_"+t.Dir()+ext)
		}
	}
	slices.Sort(names)
	return names
}

// check compares what was made with what the targets say, so that a release neither
// lacks a file nor has one that nobody meant to give away.
func (s *stage) check() error {
	want := uploads(s.Project.Name, s.Source.Version, s.Targets)
	inChecksums, err := s.checksummed()
	if err != nil {
		return err
	}
	list, err := packed.List(s.path("dist"))
	if err != nil {
		return err
	}
	files, err := os.ReadDir(s.path("dist"))
	if err != nil {
		return err
	}
	packed := slices.DeleteFunc(slices.Clone(want), func(name string) bool { return name == digestsName })
	if err := same(checksumsName, inChecksums, want); err != nil {
		return err
	}
	if err := same(artifactsName, packages(list), packed); err != nil {
		return err
	}
	if err := same("dist/", packedFiles(files), packed); err != nil {
		return err
	}
	for _, f := range flavours {
		if err := s.checkImages(f); err != nil {
			return err
		}
	}
	return nil
}

// same is an error that names what is missing and what is unexpected; want is sorted.
func same(where string, got, want []string) error {
	slices.Sort(got)
	var wrong []string
	for _, name := range want {
		if !slices.Contains(got, name) {
			wrong = append(wrong, "  missing: "+name)
		}
	}
	for _, name := range got {
		if !slices.Contains(want, name) {
			wrong = append(wrong, "  unexpected: "+name)
		}
	}
	if wrong == nil && len(got) != len(want) {
		wrong = append(wrong, "  a name stands there twice")
	}
	if wrong == nil {
		return nil
	}
	err := fmt.Errorf("%s differs from what the table of targets and .goreleaser.yaml promise", where)
	return &fault.Error{Code: fault.Failed, Err: err, Log: strings.Join(wrong, "\n")}
}

// checksummed lists the names in checksums.txt.
func (s *stage) checksummed() ([]string, error) {
	text, err := os.ReadFile(s.path("dist", checksumsName))
	if err != nil {
		return nil, err
	}
	var names []string
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		_, name, _ := strings.Cut(lines.Text(), "  ")
		names = append(names, name)
	}
	return names, nil
}

// packages are the artifacts that are neither files on the way there nor about them.
func packages(list []packed.Artifact) []string {
	var names []string
	for _, a := range list {
		switch a.Type {
		case "Binary", "Metadata", "Checksum":
		default:
			names = append(names, a.Name)
		}
	}
	return names
}

// packedFiles are the files in dist/ that GoReleaser did not write for itself.
func packedFiles(entries []os.DirEntry) []string {
	var names []string
	for _, e := range entries {
		switch e.Name() {
		case artifactsName, checksumsName, notesName, "config.yaml", "metadata.json":
		default:
			if !e.IsDir() { // a folder of each binary
				names = append(names, e.Name())
			}
		}
	}
	return names
}

// checkImages compares the platforms of a written image layout with the targets.
func (s *stage) checkImages(flavour string) error {
	index, err := packed.Layout(s.path(imagesDir, flavour))
	if err != nil {
		return err
	}
	got, err := packed.Platforms(index)
	if err != nil {
		return err
	}
	return same(imagesDir+"/"+flavour, got, slices.Sorted(slices.Values(spec.Names(s.Targets))))
}
