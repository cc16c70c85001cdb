package export

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/tcapflow/tcapflow/internal/dialogue"
	"github.com/tcapflow/tcapflow/internal/sigtran"
	"github.com/tcapflow/tcapflow/internal/sigtran/mtp3"
	"github.com/tcapflow/tcapflow/internal/sigtran/tcap"
)

// fields writes one line and reads it again.
func fields(t *testing.T, write func(*Writer) error) map[string]any {
	t.Helper()
	var b bytes.Buffer
	w := NewWriter(&b)
	w.Places(func(frame uint64) (string, uint64) { return "a \"file\"\n.pcap", frame - 1 })
	if err := errors.Join(write(w), w.Flush()); err != nil {
		t.Fatal(err)
	}
	var out map[string]any
	if err := json.Unmarshal(b.Bytes(), &out); err != nil {
		t.Fatalf("%s: %v", &b, err)
	}
	return out
}

func expect(t *testing.T, got map[string]any, want map[string]any) {
	t.Helper()
	for key, value := range want {
		if got[key] != value {
			t.Errorf("%s: got %v, want %v", key, got[key], value)
		}
	}
}

func TestMessage(t *testing.T) {
	m := sigtran.Message{Way: sigtran.Way{Frame: 3, Time: -1, Cause: 1, Standard: mtp3.ANSI, Segments: 2}}
	m.Called.Unread = true
	m.TCAP = tcap.Message{Kind: tcap.Abort, Package: 0xf6, AbortCause: 4, AbortSource: 1, Count: 1, More: 2}
	m.TCAP.Components[0] = tcap.Component{Kind: tcap.Reject, Problem: 0x8102, Code: 9<<8 | 13, CodeKind: tcap.Private}
	m.Err = errors.New("a \"cause\"")
	got := fields(t, func(w *Writer) error { return w.Message(&m) })
	expect(t, got, map[string]any{
		"time": "1969-12-31T23:59:59.999999999Z", "file": "a \"file\"\n.pcap", "file_frame": 2.0, "standard": "ansi", "segments": 2.0,
		"return_cause": 1.0, "return_reason": "no translation for this specific address", "package": "abort",
		"abort_reason": "unassigned responding transaction ID", "abort_source": "provider", "more_components": 2.0,
		"malformed": "a \"cause\"", "src": nil, "otid": nil,
	})
	component := got["components"].([]any)[0].(map[string]any)
	expect(t, component, map[string]any{"family": 9.0, "opcode": 13.0, "operation": "registrationNotification",
		"problem_type": 1.0, "problem_code": 2.0})
	if called := got["called"].(map[string]any); called["unread"] != true || len(called) != 1 {
		t.Errorf("called is %v", called)
	}
}

func TestPartial(t *testing.T) {
	m := sigtran.Message{Way: sigtran.Way{Cause: -1, Partial: true}, Err: errors.New("cut")}
	m.TCAP = tcap.Message{Kind: tcap.Begin, AbortCause: -1, AbortSource: -1}
	expect(t, fields(t, func(w *Writer) error { return w.Message(&m) }),
		map[string]any{"partial": true, "malformed": nil, "return_cause": nil, "abort_cause": nil})
}

func TestDialogue(t *testing.T) {
	r := dialogue.Record{Begin: 1e9, Last: 3e9, BeginFrame: 7, LastFrame: 9, Outcome: dialogue.Undeliverable, Cause: 2,
		Operation: dialogue.Code{Value: 45, Kind: tcap.Local}, Error: dialogue.Code{Value: 27, Kind: tcap.Local}}
	r.Called.SSN = 6
	expect(t, fields(t, func(w *Writer) error { return w.Dialogue(&r) }), map[string]any{
		"type": "dialogue", "operation": "sendRoutingInfoForSM", "error": "absentSubscriber", "duration_ms": 2000.0,
		"outcome": "undeliverable", "return_reason": "subsystem congestion", "latency_ms": nil, "file_frame": 6.0,
	})
}

func TestMilliseconds(t *testing.T) {
	for n, want := range map[int64]string{0: "0", 1: "0.000001", 31_250_000: "31.25", 5e6: "5", 1_000_500_000: "1000.5"} {
		if got := string(appendMilliseconds(nil, n)); got != want {
			t.Errorf("%d ns: got %s, want %s", n, got, want)
		}
	}
}

func TestStamp(t *testing.T) {
	var c stampCache
	for _, n := range []int64{0, 1, 999_999_999, 1e9, 1_709_251_199_123_456_789, -1, 0} {
		want := time.Unix(0, n).UTC().Format("2006-01-02T15:04:05.000000000Z")
		if got := string(c.append(nil, n)); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

// full is an output that takes no more.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("disk full") }

// TestError stays, so that no caller goes on for long.
func TestError(t *testing.T) {
	w := NewWriter(full{})
	if err := w.Start(); err != nil {
		t.Errorf("buffered, but %v", err)
	}
	if err := w.Flush(); err == nil {
		t.Error("no error")
	}
	if err := w.Start(); err == nil {
		t.Error("the error is forgotten")
	}
}

func TestHistogram(t *testing.T) {
	for _, d := range []time.Duration{0, time.Microsecond, 7 * time.Microsecond, 8 * time.Microsecond, 100 * time.Microsecond,
		time.Millisecond, 31 * time.Millisecond, time.Second, time.Hour, 1 << 62} {
		b := bucketOf(d)
		if b > 0 && b < len(histogram{}.buckets)-1 && (d < upper(b-1) || d >= upper(b)) {
			t.Errorf("%v is in bucket %d: from %v to %v", d, b, upper(b-1), upper(b))
		}
	}
	var h histogram
	for i := range 1000 {
		h.add(time.Duration(i+1) * time.Millisecond)
	}
	for q, want := range map[float64]time.Duration{0.5: 500 * time.Millisecond, 0.99: 990 * time.Millisecond, 1: time.Second} {
		if got := h.quantile(q); got < want || got > want+want/7 {
			t.Errorf("quantile %v: got %v, want %v", q, got, want)
		}
	}
}

func TestTable(t *testing.T) {
	var l Latencies
	for i := range 100 {
		r := dialogue.Record{Begin: 1, Answer: 1 + int64(i+1)*1e6, AnswerFrame: 2, Operation: dialogue.Code{Value: 45, Kind: tcap.Local}}
		r.Called.SSN = 6
		l.Add(&r)
	}
	l.Add(&dialogue.Record{})
	var b strings.Builder
	l.Table(&b)
	lines := strings.Split(b.String(), "\n")
	if !strings.HasPrefix(lines[0], "OPERATION") || !strings.HasPrefix(lines[1], "sendRoutingInfoForSM") ||
		!strings.HasPrefix(lines[2], "(no operation)") || !strings.Contains(b.String(), "#") {
		t.Errorf("got\n%s", &b)
	}
	for code := range int32(2 * maxOperations) {
		l.Add(&dialogue.Record{Operation: dialogue.Code{Value: code, Kind: tcap.Local}})
	}
	if len(l.rows) > maxOperations+1 {
		t.Errorf("%d rows", len(l.rows))
	}
}

func TestProse(t *testing.T) {
	var s Summary
	s.Packets, s.Frames.Other, s.CutPackets, s.Interrupted = 3, 3, 1, true
	var b strings.Builder
	s.Prose(&b)
	for _, want := range []string{"3 packets, 0 SCTP data chunks", "passed over: 3 packets without SCTP\n",
		"could not be read: 1 packets cut by the snap length\n", "interrupted", "no TCAP found, but "} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in\n%s", want, &b)
		}
	}
}
