// Package export writes what was seen: JSON Lines for programs, a few lines of
// prose for people.
package export

import (
	"bufio"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/netip"
	"time"

	"github.com/tcapflow/tcapflow/internal/dialogue"
	"github.com/tcapflow/tcapflow/internal/sigtran"
	"github.com/tcapflow/tcapflow/internal/sigtran/sccp"
	"github.com/tcapflow/tcapflow/internal/sigtran/tcap"
)

// Writer writes one JSON object a line: type "message" for every TCAP message,
// "dialogue" for every one that is over, "summary" at the end. Times are RFC
// 3339 with nanoseconds in UTC, transaction IDs hexadecimal, point codes
// decimal. Lines are buffered until Flush.
type Writer struct {
	buffer  *bufio.Writer
	encoder *json.Encoder
}

// NewWriter returns a Writer on w.
func NewWriter(w io.Writer) *Writer {
	buffer := bufio.NewWriterSize(w, 1<<16)
	encoder := json.NewEncoder(buffer)
	encoder.SetEscapeHTML(false)
	return &Writer{buffer: buffer, encoder: encoder}
}

// Flush writes what is buffered.
func (w *Writer) Flush() error { return w.buffer.Flush() }

type address struct {
	GT  string `json:"gt,omitempty"`
	SSN byte   `json:"ssn,omitempty"`
	PC  uint16 `json:"pc,omitempty"`
}

func addressOf(a sccp.Address) address { return address{GT: a.GT, SSN: a.SSN, PC: a.PC} }

type component struct {
	Kind       string `json:"kind"`
	InvokeID   *int   `json:"invoke_id,omitempty"`
	Opcode     *int   `json:"opcode,omitempty"`
	ErrorCode  *int   `json:"error_code,omitempty"`
	GlobalCode string `json:"global_code,omitempty"`
}

func componentOf(c tcap.Component) component {
	out := component{Kind: c.Kind.String(), GlobalCode: c.GlobalCode}
	if c.HasInvokeID {
		out.InvokeID = &c.InvokeID
	}
	if c.HasCode && c.Kind == tcap.ReturnError {
		out.ErrorCode = &c.Code
	} else if c.HasCode {
		out.Opcode = &c.Code
	}
	return out
}

type message struct {
	Type       string      `json:"type"`
	Time       string      `json:"time"`
	Frame      uint64      `json:"frame"`
	Via        string      `json:"via"`
	Src        *netip.Addr `json:"src,omitempty"`
	Dst        *netip.Addr `json:"dst,omitempty"`
	OPC        uint32      `json:"opc"`
	DPC        uint32      `json:"dpc"`
	Calling    address     `json:"calling"`
	Called     address     `json:"called"`
	TCAP       string      `json:"tcap"`
	OTID       string      `json:"otid,omitempty"`
	DTID       string      `json:"dtid,omitempty"`
	Context    string      `json:"application_context,omitempty"`
	AbortCause *int        `json:"abort_cause,omitempty"`
	Components []component `json:"components,omitempty"`
	Malformed  string      `json:"malformed,omitempty"`
}

// Message writes a TCAP message.
func (w *Writer) Message(m sigtran.Message) error {
	out := message{
		Type: "message", Time: stamp(m.Time), Frame: m.Frame, Via: m.Via,
		Src: addr(m.Src), Dst: addr(m.Dst), OPC: m.OPC, DPC: m.DPC,
		Calling: addressOf(m.Calling), Called: addressOf(m.Called),
		TCAP: m.TCAP.Kind.String(), OTID: tid(m.TCAP.OTID), DTID: tid(m.TCAP.DTID),
		Context: m.TCAP.ApplicationContext,
	}
	if m.TCAP.AbortCause >= 0 {
		out.AbortCause = &m.TCAP.AbortCause
	}
	for _, c := range m.TCAP.Components {
		out.Components = append(out.Components, componentOf(c))
	}
	if m.Err != nil {
		out.Malformed = m.Err.Error()
	}
	return w.encoder.Encode(out)
}

type record struct {
	Type        string   `json:"type"`
	Time        string   `json:"time"`
	OTID        string   `json:"otid"`
	Calling     address  `json:"calling"`
	Called      address  `json:"called"`
	OPC         uint32   `json:"opc"`
	DPC         uint32   `json:"dpc"`
	Context     string   `json:"application_context,omitempty"`
	BeginFrame  uint64   `json:"begin_frame"`
	Answer      string   `json:"answer,omitempty"`
	AnswerFrame uint64   `json:"answer_frame,omitempty"`
	DTID        string   `json:"dtid,omitempty"`
	Latency     *float64 `json:"latency_ms,omitempty"`
	Duration    float64  `json:"duration_ms"`
	Messages    int      `json:"messages"`
	LastFrame   uint64   `json:"last_frame"`
	Outcome     string   `json:"outcome"`
}

// Dialogue writes a dialogue that is over. Addresses, point codes and the
// originating transaction ID are those of its Begin, the destination
// transaction ID is the one that the answer gave.
func (w *Writer) Dialogue(r dialogue.Record) error {
	b := r.Begin
	out := record{
		Type: "dialogue", Time: stamp(b.Time), OTID: tid(b.TCAP.OTID),
		Calling: addressOf(b.Calling), Called: addressOf(b.Called), OPC: b.OPC, DPC: b.DPC,
		Context: b.TCAP.ApplicationContext, BeginFrame: b.Frame, LastFrame: r.LastFrame,
		Duration: milliseconds(r.Last.Sub(b.Time)), Messages: r.Messages, Outcome: string(r.Outcome),
	}
	if r.Answer != nil {
		latency := milliseconds(r.Latency())
		out.Latency = &latency
		out.Answer, out.AnswerFrame = r.Answer.TCAP.Kind.String(), r.Answer.Frame
		out.DTID = tid(r.Answer.TCAP.OTID)
	}
	return w.encoder.Encode(out)
}

// Summary is the count of a whole run.
type Summary struct {
	sigtran.Counters
	Messages    Messages          `json:"tcap"`
	Dialogues   dialogue.Counters `json:"dialogues"`
	KernelDrops uint64            `json:"kernel_drops"` // by the kernel or interface, live only
}

// Messages counts TCAP messages by kind.
type Messages struct {
	Total          uint64 `json:"total"`
	Begin          uint64 `json:"begin"`
	Continue       uint64 `json:"continue"`
	End            uint64 `json:"end"`
	Abort          uint64 `json:"abort"`
	Unidirectional uint64 `json:"unidirectional"`
}

// Count adds one message.
func (m *Messages) Count(k tcap.Kind) {
	m.Total++
	switch k {
	case tcap.Begin:
		m.Begin++
	case tcap.Continue:
		m.Continue++
	case tcap.End:
		m.End++
	case tcap.Abort:
		m.Abort++
	case tcap.Unidirectional:
		m.Unidirectional++
	}
}

// Summary writes the summary.
func (w *Writer) Summary(s Summary) error {
	return w.encoder.Encode(struct {
		Type string `json:"type"`
		Summary
	}{"summary", s})
}

// Prose writes the summary for people.
func (s Summary) Prose(w io.Writer) {
	fmt.Fprintf(w, "%d packets, %d SCTP data chunks, %d TCAP messages: %d begin, %d continue, %d end, %d abort, %d unidirectional\n",
		s.Packets, s.Chunks, s.Messages.Total, s.Messages.Begin, s.Messages.Continue, s.Messages.End,
		s.Messages.Abort, s.Messages.Unidirectional)
	d := s.Dialogues
	fmt.Fprintf(w, "%d dialogues: %d answered, %d unanswered; %d repeated begins, %d messages without a dialogue, %d evicted\n",
		d.Answered+d.Unanswered, d.Answered, d.Unanswered, d.Repeated, d.Unmatched, d.Evicted)
	m := s.Malformed
	fmt.Fprintf(w, "%d malformed: link %d, sctp %d, m3ua %d, m2pa %d, m2ua %d, mtp3 %d, sccp %d, tcap %d\n",
		m.Total(), m.Link, m.SCTP, m.M3UA, m.M2PA, m.M2UA, m.MTP3, m.SCCP, m.TCAP)
	fmt.Fprintf(w, "%d passed over: %d IP fragments, %d SCCP segments, %d other SCCP user data; %d SCTP fragments dropped, %d packets dropped by the kernel\n",
		s.Fragments+s.Segments+s.OtherUsers, s.Fragments, s.Segments, s.OtherUsers, s.Dropped, s.KernelDrops)
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000000000Z") }

func tid(s string) string { return hex.EncodeToString([]byte(s)) }

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func addr(a netip.Addr) *netip.Addr {
	if !a.IsValid() {
		return nil
	}
	return &a
}
