// Package export writes what was seen: JSON Lines for programs, a few lines of
// prose and a table for people.
package export

import (
	"encoding/json"
	"io"
	"strconv"

	"github.com/tcapflow/tcapflow/internal/dialogue"
	"github.com/tcapflow/tcapflow/internal/sigtran"
	"github.com/tcapflow/tcapflow/internal/sigtran/names"
	"github.com/tcapflow/tcapflow/internal/sigtran/sccp"
	"github.com/tcapflow/tcapflow/internal/sigtran/subscriber"
	"github.com/tcapflow/tcapflow/internal/sigtran/tcap"
)

// Schema is the version of the lines' schema. It goes up when a field changes its
// meaning or goes away, not when one is added. The README of cmd/tcapflow-client
// describes it.
const Schema = 2

// Writer writes one JSON object a line: type "start" first, "message" for every TCAP
// message, "dialogue" for every one that is over, "summary" at the end. Times are RFC
// 3339 with nanoseconds in UTC, transaction IDs hexadecimal, point codes
// decimal. Lines are buffered until Flush.
//
// Lines are appended to a buffer field by field: encoding/json takes nearly three times
// as long, and allocates.
type Writer struct {
	out   io.Writer
	b     []byte
	err   error
	clock stampCache
	place func(frame uint64) (file string, number uint64)
	clear bool // numbers of subscribers are not masked
}

const flushAt = 1 << 16

// NewWriter returns a Writer on w.
func NewWriter(w io.Writer) *Writer {
	return &Writer{out: w, b: make([]byte, 0, flushAt+1<<12)}
}

// SetOutput has what is not yet written go elsewhere.
func (w *Writer) SetOutput(out io.Writer) { w.out = out }

// Places has lines say the file of their frame and the frame's number in that, as
// place tells them.
func (w *Writer) Places(place func(frame uint64) (file string, number uint64)) { w.place = place }

// Clear has numbers of subscribers written whole: else all but their first digits are
// masked.
func (w *Writer) Clear() { w.clear = true }

// Start writes the line that names the schema.
func (w *Writer) Start() error {
	w.b = append(w.b, `{"type":"start","schema":`...)
	w.b = strconv.AppendInt(w.b, Schema, 10)
	return w.end()
}

// Flush writes what is buffered. An error of the output stays: later calls return it
// again.
func (w *Writer) Flush() error {
	if w.err == nil && len(w.b) > 0 {
		_, w.err = w.out.Write(w.b)
	}
	w.b = w.b[:0]
	return w.err
}

// end finishes a line.
func (w *Writer) end() error {
	w.b = append(w.b, '}', '\n')
	if len(w.b) < flushAt {
		return w.err
	}
	return w.Flush()
}

// Message writes a TCAP message.
func (w *Writer) Message(m *sigtran.Message) error {
	w.b = append(w.b, `{"type":"message"`...)
	w.stamp("time", m.Time)
	w.number("frame", int64(m.Frame))
	w.origin(m.Frame)
	w.word("via", m.Via.String())
	w.optAddr("src", m.Src)
	w.optAddr("dst", m.Dst)
	if m.Src.IsValid() {
		w.number("stream", int64(m.Stream))
		w.number("tsn", int64(m.TSN))
	}
	w.number("opc", int64(m.OPC))
	w.number("dpc", int64(m.DPC))
	w.optNumber("sls", int64(m.SLS))
	w.standard(m.Standard)
	w.address("calling", &m.Calling)
	w.address("called", &m.Called)
	w.optNumber("segments", int64(m.Segments))
	if m.Returned() {
		w.number("return_cause", int64(m.Cause))
		w.optWord("return_reason", sccp.CauseName(m.Cause))
	}
	w.tcap(&m.TCAP, m)
	if !m.Subscriber.IsZero() {
		w.subscriber(&m.Subscriber)
	}
	if m.Partial {
		w.flag("partial")
	}
	if m.Err != nil && !m.Partial {
		w.text("malformed", m.Err.Error())
	}
	return w.end()
}

func (w *Writer) tcap(t *tcap.Message, m *sigtran.Message) {
	w.word("tcap", t.Kind.String())
	w.optWord("package", tcap.PackageName(t.Package))
	w.optTID("otid", t.OTID)
	w.optTID("dtid", t.DTID)
	w.optOID("application_context", &t.Context)
	w.optWord("application_context_name", names.Context(&t.Context))
	if t.AbortCause >= 0 {
		w.number("abort_cause", int64(t.AbortCause))
		w.optWord("abort_reason", tcap.AbortCauseName(t.Package, t.AbortCause))
	}
	if t.AbortSource >= 0 {
		w.word("abort_source", [...]string{"user", "provider"}[t.AbortSource&1])
	}
	if t.Count == 0 {
		return
	}
	w.key("components")
	w.b = append(w.b, '[')
	for i := range t.Count {
		if i > 0 {
			w.b = append(w.b, ',')
		}
		w.component(&t.Components[i], names.Of(&t.Context, m.Calling.SSN, m.Called.SSN))
	}
	w.b = append(w.b, ']')
	w.optNumber("more_components", int64(t.More))
}

func (w *Writer) subscriber(n *subscriber.Numbers) {
	w.key("subscriber")
	start := len(w.b)
	w.digits("imsi", &n.IMSI)
	w.digits("msisdn", &n.MSISDN)
	w.digits("calling", &n.Calling)
	w.digits("called", &n.Called)
	w.b[start] = '{' // in the place of the first comma
	w.b = append(w.b, '}')
}

func (w *Writer) digits(name string, d *subscriber.Digits) {
	switch {
	case d.IsZero():
	case w.clear:
		w.key(name)
		w.b = append(d.Append(append(w.b, '"')), '"')
	default:
		w.key(name)
		w.b = append(d.Masked(append(w.b, '"')), '"')
	}
}

func (w *Writer) component(c *tcap.Component, p names.Protocol) {
	w.b = append(w.b, `{"kind":"`...)
	w.b = append(w.b, c.Kind.String()...)
	w.b = append(w.b, '"')
	if c.HasInvokeID {
		w.number("invoke_id", int64(c.InvokeID))
	}
	if c.HasLinkedID {
		w.number("linked_id", int64(c.LinkedID))
	}
	code := dialogue.Code{Value: c.Code, Kind: c.CodeKind}
	if c.Kind == tcap.ReturnError {
		w.code("error_code", "error", code, p.Error(code.Value, code.Kind))
	} else {
		w.code("opcode", "operation", code, p.Operation(code.Value, code.Kind))
	}
	if c.CodeKind == tcap.Global {
		w.optOID("global_code", &c.GlobalCode)
	}
	if c.Kind == tcap.Reject && c.Problem != 0 {
		w.number("problem_type", int64(c.Problem>>8&0x7f))
		w.number("problem_code", int64(c.Problem&0xff))
	}
	w.b = append(w.b, '}')
}

// code writes an operation or error code and its name. Those of T1.114 have a family,
// where there are two octets.
func (w *Writer) code(key, nameKey string, c dialogue.Code, name string) {
	switch c.Kind {
	case tcap.Local:
		w.number(key, int64(c.Value))
	case tcap.National, tcap.Private:
		if c.Value > 0xff {
			w.number("family", int64(c.Value>>8))
		}
		w.number(key, int64(c.Value&0xff))
	}
	w.optWord(nameKey, name)
}

// Dialogue writes a dialogue that is over. Addresses, point codes and the
// originating transaction ID are those of its Begin, the destination
// transaction ID is the one that the answer gave.
func (w *Writer) Dialogue(r *dialogue.Record) error {
	w.b = append(w.b, `{"type":"dialogue"`...)
	w.stamp("time", r.Begin)
	w.optTID("otid", r.OTID)
	w.address("calling", &r.Calling)
	w.address("called", &r.Called)
	w.number("opc", int64(r.OPC))
	w.number("dpc", int64(r.DPC))
	w.word("via", r.Via.String())
	w.standard(r.Standard)
	w.optOID("application_context", &r.Context)
	w.optWord("application_context_name", names.Context(&r.Context))
	p := protocolOf(r)
	w.code("opcode", "operation", r.Operation, p.Operation(r.Operation.Value, r.Operation.Kind))
	w.code("error_code", "error", r.Error, p.Error(r.Error.Value, r.Error.Kind))
	w.number("begin_frame", int64(r.BeginFrame))
	w.origin(r.BeginFrame)
	if r.Answered() {
		w.word("answer", r.AnswerKind.String())
		w.number("answer_frame", int64(r.AnswerFrame))
		w.optTID("dtid", r.DTID)
		w.milliseconds("latency_ms", int64(r.Latency()))
	}
	w.milliseconds("duration_ms", int64(r.Duration()))
	w.number("messages", int64(r.Messages))
	w.number("last_frame", int64(r.LastFrame))
	w.word("outcome", r.Outcome.String())
	w.cause(r)
	return w.end()
}

func protocolOf(r *dialogue.Record) names.Protocol {
	return names.Of(&r.Context, r.Calling.SSN, r.Called.SSN)
}

// cause writes why a dialogue was aborted or its message brought back.
func (w *Writer) cause(r *dialogue.Record) {
	if r.Cause < 0 {
		return
	}
	switch r.Outcome {
	case dialogue.Aborted:
		w.number("abort_cause", int64(r.Cause))
		w.optWord("abort_reason", tcap.AbortCauseName(r.Package, r.Cause))
	case dialogue.Undeliverable:
		w.number("return_cause", int64(r.Cause))
		w.optWord("return_reason", sccp.CauseName(r.Cause))
	}
}

// Summary writes the summary.
func (w *Writer) Summary(s *Summary) error {
	b, err := json.Marshal(struct {
		Type   string `json:"type"`
		Schema int    `json:"schema"`
		*Summary
	}{"summary", Schema, s})
	if err != nil {
		return err
	}
	w.b = append(w.b, b[:len(b)-1]...)
	return w.end()
}
