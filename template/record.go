package template

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// RecordName is the file of a project that remembers what it was made of.
const RecordName = ".template.json"

// Record is what a project was made of. Its form is a contract between versions: an update
// asks the version that a project was made of to make it again.
type Record struct {
	Version string `json:"version"` // of the library and its template
	Project
}

func (r Record) bytes() ([]byte, error) {
	text, err := json.MarshalIndent(r, "", " ")
	return append(text, '\n'), err
}

// ReadRecord reads the record of the project in a folder.
func ReadRecord(dir string) (Record, error) {
	name := filepath.Join(dir, RecordName)
	text, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return Record{}, wrongUse("`mage template:new` makes a project that remembers it",
			"%s is not there: this project was not made of a template", RecordName)
	}
	if err != nil {
		return Record{}, err
	}
	var r Record
	if err := json.Unmarshal(text, &r); err != nil {
		return Record{}, fmt.Errorf("%s: %w", name, err)
	}
	r.Project, err = r.fill()
	return r, err
}
