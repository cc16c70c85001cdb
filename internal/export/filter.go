package export

import (
	"slices"
	"strconv"
	"time"

	"github.com/tcapflow/tcapflow/internal/dialogue"
	"github.com/tcapflow/tcapflow/internal/sigtran"
	"github.com/tcapflow/tcapflow/internal/sigtran/names"
	"github.com/tcapflow/tcapflow/internal/sigtran/sccp"
	"github.com/tcapflow/tcapflow/internal/sigtran/tcap"
)

// Filter selects dialogues and messages. Of each criterion one value has to fit, and
// each criterion that has values has to; the zero value selects all. Either side may
// be the one that fits.
type Filter struct {
	GTs        []string // prefixes of global titles, digits
	PointCodes []uint32
	SSNs       []uint8
	Operations []string           // names, or codes in decimal
	Outcomes   []dialogue.Outcome // of dialogues
	MinLatency time.Duration      // of dialogues: those that were answered sooner, or not, are left out
}

// OfDialogues tells whether there are criteria that only a dialogue that is over can
// meet. No message is selected then.
func (f *Filter) OfDialogues() bool { return len(f.Outcomes) > 0 || f.MinLatency > 0 }

// Dialogue tells whether a dialogue is selected.
func (f *Filter) Dialogue(r *dialogue.Record) bool {
	return f.sides(&r.Calling, &r.Called, r.OPC, r.DPC) &&
		(len(f.Operations) == 0 || f.operation(protocolOf(r), r.Operation)) &&
		(len(f.Outcomes) == 0 || slices.Contains(f.Outcomes, r.Outcome)) &&
		(f.MinLatency == 0 || r.Answered() && r.Latency() >= f.MinLatency)
}

// Message tells whether a message is selected.
func (f *Filter) Message(m *sigtran.Message) bool {
	return !f.OfDialogues() && f.sides(&m.Calling, &m.Called, m.OPC, m.DPC) &&
		(len(f.Operations) == 0 || f.component(m))
}

func (f *Filter) sides(calling, called *sccp.Address, opc, dpc uint32) bool {
	title := func(prefix string) bool { return calling.HasPrefix(prefix) || called.HasPrefix(prefix) }
	return (len(f.GTs) == 0 || slices.ContainsFunc(f.GTs, title)) &&
		either(f.PointCodes, opc, dpc) && either(f.SSNs, calling.SSN, called.SSN)
}

func either[T comparable](wanted []T, a, b T) bool {
	return len(wanted) == 0 || slices.Contains(wanted, a) || slices.Contains(wanted, b)
}

func (f *Filter) component(m *sigtran.Message) bool {
	p := names.Of(&m.TCAP.Context, m.Calling.SSN, m.Called.SSN)
	for i := range m.TCAP.Count {
		c := &m.TCAP.Components[i]
		if c.Kind != tcap.ReturnError && f.operation(p, dialogue.Code{Value: c.Code, Kind: c.CodeKind}) {
			return true
		}
	}
	return false
}

func (f *Filter) operation(p names.Protocol, code dialogue.Code) bool {
	if code.Kind == tcap.None {
		return false
	}
	name := p.Operation(code.Value, code.Kind)
	for _, wanted := range f.Operations {
		if wanted == name {
			return true
		}
		if n, err := strconv.ParseInt(wanted, 10, 32); err == nil && int32(n) == specifier(code) {
			return true
		}
	}
	return false
}

// specifier is the code as lines show it: without the family of T1.114.
func specifier(c dialogue.Code) int32 {
	if c.Kind == tcap.National || c.Kind == tcap.Private {
		return c.Value & 0xff
	}
	return c.Value
}
