package plan

import (
	"github.com/tcapflow/tcapflow/elfcheck"
	"github.com/tcapflow/tcapflow/spec"
)

// allowed are the project's exceptions in the gate's words.
func allowed(p spec.Project) (list []elfcheck.Allowed) {
	for _, a := range p.Allowed {
		list = append(list, elfcheck.Allowed{Text: a.Text, Reason: a.Reason})
	}
	return list
}
