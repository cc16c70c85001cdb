package plan

import (
	"github.com/tcapflow/tcapflow/build"
	"github.com/tcapflow/tcapflow/internal/pipeline/elfcheck"
)

// allowed are the project's exceptions in the gate's words.
func allowed(p build.Project) (list []elfcheck.Allowed) {
	for _, a := range p.Allowed {
		list = append(list, elfcheck.Allowed{Text: a.Text, Reason: a.Reason})
	}
	return list
}
