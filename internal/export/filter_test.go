package export

import (
	"testing"
	"time"

	"github.com/tcapflow/tcapflow/internal/dialogue"
	"github.com/tcapflow/tcapflow/internal/sigtran"
	"github.com/tcapflow/tcapflow/internal/sigtran/tcap"
)

func TestFilter(t *testing.T) {
	r := dialogue.Record{OPC: 100, DPC: 200, Operation: dialogue.Code{Value: 45, Kind: tcap.Local}, Outcome: dialogue.Ended,
		Begin: 1, Answer: 1 + 5e6, AnswerFrame: 2}
	r.Calling.SetDigits([]byte{0x94, 0x71}, 4)
	r.Calling.SSN, r.Called.SSN = 8, 6
	m := sigtran.Message{Way: sigtran.Way{OPC: 100, DPC: 200, Calling: r.Calling, Called: r.Called}}
	m.TCAP.Count = 2
	m.TCAP.Components[0] = tcap.Component{Kind: tcap.ReturnError, Code: 27, CodeKind: tcap.Local}
	m.TCAP.Components[1] = tcap.Component{Kind: tcap.Invoke, Code: 45, CodeKind: tcap.Local}
	for _, tt := range []struct {
		name                string
		filter              Filter
		ofDialogue, message bool
	}{
		{"all", Filter{}, true, true},
		{"title", Filter{GTs: []string{"5", "491"}}, true, true},
		{"another title", Filter{GTs: []string{"5"}}, false, false},
		{"point code", Filter{PointCodes: []uint32{200}}, true, true},
		{"another point code", Filter{PointCodes: []uint32{300}}, false, false},
		{"subsystem", Filter{SSNs: []uint8{6}}, true, true},
		{"another subsystem", Filter{SSNs: []uint8{7}}, false, false},
		{"operation", Filter{Operations: []string{"sendRoutingInfoForSM"}}, true, true},
		{"operation's code", Filter{Operations: []string{"45"}}, true, true},
		{"an error's code is no operation's", Filter{Operations: []string{"27"}}, false, false},
		{"outcome", Filter{Outcomes: []dialogue.Outcome{dialogue.Ended}}, true, false},
		{"another outcome", Filter{Outcomes: []dialogue.Outcome{dialogue.Open}}, false, false},
		{"latency", Filter{MinLatency: 5 * time.Millisecond}, true, false},
		{"longer latency", Filter{MinLatency: 6 * time.Millisecond}, false, false},
		{"both have to fit", Filter{SSNs: []uint8{6}, PointCodes: []uint32{300}}, false, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.filter.Dialogue(&r) != tt.ofDialogue || tt.filter.Message(&m) != tt.message {
				t.Errorf("dialogue %t, message %t", tt.filter.Dialogue(&r), tt.filter.Message(&m))
			}
		})
	}
	if f := (Filter{MinLatency: 1}); f.Dialogue(&dialogue.Record{}) {
		t.Error("what was not answered has a latency")
	}
}
