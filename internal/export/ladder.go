package export

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tcapflow/tcapflow/internal/dialogue"
	"github.com/tcapflow/tcapflow/internal/sigtran"
	"github.com/tcapflow/tcapflow/internal/sigtran/names"
	"github.com/tcapflow/tcapflow/internal/sigtran/sccp"
	"github.com/tcapflow/tcapflow/internal/sigtran/tcap"
)

// Bounds of what a Ladders keeps: nobody reads more.
const (
	maxLadders = 20
	maxRungs   = 200
	maxPoints  = 8
)

// Ladders gathers the messages of dialogues, to draw each as a ladder: a column for
// each signalling point, an arrow for each message. Messages on several hops of a
// dialogue are in one ladder.
type Ladders struct {
	want    string // transaction ID in hexadecimal, or first digits of a global title
	list    []*ladder
	dropped int // dialogues and messages beyond the bounds
}

// NewLadders returns a Ladders for the dialogues with this transaction ID, in
// hexadecimal, or with a global title that begins so.
func NewLadders(want string) *Ladders { return &Ladders{want: want} }

// Count is the number of dialogues that were found.
func (l *Ladders) Count() int { return len(l.list) }

// ladder is one dialogue.
type ladder struct {
	first  sigtran.Message
	ids    []tcap.TID // of both sides
	points []string   // signalling points: point codes, or where there are none addresses
	titles []sccp.Address
	rungs  []rung
	ended  bool // there was an End or Abort, maybe on another hop
}

// rung is one message.
type rung struct {
	at       int64
	frame    uint64
	from, to int // columns
	label    string
	text     string
}

// Add takes the next message of a capture.
func (l *Ladders) Add(m *sigtran.Message) {
	for _, at := range slices.Backward(l.list) { // a transaction ID may have been used again
		if at.takes(m) {
			if !at.add(m) {
				l.dropped++
			}
			return
		}
	}
	if m.Returned() || !l.wanted(m) {
		return
	}
	if len(l.list) == maxLadders {
		l.dropped++
		return
	}
	at := &ladder{first: *m}
	at.add(m)
	l.list = append(l.list, at)
}

func (l *Ladders) wanted(m *sigtran.Message) bool {
	want := strings.ToLower(l.want)
	return m.TCAP.OTID.String() == want || m.TCAP.DTID.String() == want ||
		m.Calling.HasPrefix(l.want) || m.Called.HasPrefix(l.want)
}

// takes tells whether a message is of this dialogue: it has one of the transaction IDs
// and shares a point code or a title, as transaction IDs are unique to a node only.
// After an End, a Begin is of another dialogue.
func (d *ladder) takes(m *sigtran.Message) bool {
	if d.ended && m.TCAP.Kind == tcap.Begin && !m.Returned() {
		return false
	}
	if !d.has(m.TCAP.OTID) && !d.has(m.TCAP.DTID) {
		return false
	}
	return slices.Contains(d.points, pointOf(m.OPC, &m.Calling)) || slices.Contains(d.titles, m.Calling) ||
		slices.Contains(d.points, pointOf(m.DPC, &m.Called)) || slices.Contains(d.titles, m.Called)
}

func (d *ladder) has(id tcap.TID) bool { return !id.IsZero() && slices.Contains(d.ids, id) }

func (d *ladder) add(m *sigtran.Message) bool {
	if len(d.rungs) == maxRungs {
		return false
	}
	from, ok := d.column(pointOf(m.OPC, &m.Calling))
	to, okToo := d.column(pointOf(m.DPC, &m.Called))
	if !ok || !okToo {
		return false
	}
	for _, id := range []tcap.TID{m.TCAP.OTID, m.TCAP.DTID} {
		if !id.IsZero() && !d.has(id) {
			d.ids = append(d.ids, id)
		}
	}
	for _, a := range []sccp.Address{m.Calling, m.Called} {
		if a.HasTitle() && !slices.Contains(d.titles, a) {
			d.titles = append(d.titles, a)
		}
	}
	d.ended = d.ended || m.TCAP.Kind == tcap.End || m.TCAP.Kind == tcap.Abort
	d.rungs = append(d.rungs, rung{m.Time, m.Frame, from, to, labelOf(m), describe(m)})
	return true
}

func (d *ladder) column(point string) (int, bool) {
	if at := slices.Index(d.points, point); at >= 0 {
		return at, true
	}
	if len(d.points) == maxPoints {
		return 0, false
	}
	d.points = append(d.points, point)
	return len(d.points) - 1, true
}

// pointOf names a signalling point.
func pointOf(pc uint32, a *sccp.Address) string {
	switch {
	case pc != 0:
		return strconv.FormatUint(uint64(pc), 10)
	case a.HasTitle():
		return a.GT()
	}
	return fmt.Sprintf("ssn %d", a.SSN)
}

func labelOf(m *sigtran.Message) string {
	if m.Returned() {
		return "returned"
	}
	return m.TCAP.Kind.String()
}

// describe says in words what a message holds.
func describe(m *sigtran.Message) string {
	var parts []string
	p := names.Of(&m.TCAP.Context, m.Calling.SSN, m.Called.SSN)
	for i := range m.TCAP.Count {
		parts = append(parts, componentText(&m.TCAP.Components[i], p))
	}
	if cause := m.TCAP.AbortCause; cause >= 0 {
		parts = append(parts, "cause: "+orNumber(tcap.AbortCauseName(m.TCAP.Package, cause), int64(cause)))
	}
	if m.Returned() {
		parts = append(parts, "cause: "+orNumber(sccp.CauseName(m.Cause), int64(m.Cause)))
	}
	if m.Partial {
		parts = append(parts, "(partial)")
	}
	return strings.Join(parts, ", ")
}

func componentText(c *tcap.Component, p names.Protocol) string {
	code := dialogue.Code{Value: c.Code, Kind: c.CodeKind}
	name := p.Operation(c.Code, c.CodeKind)
	if c.Kind == tcap.ReturnError {
		name = p.Error(c.Code, c.CodeKind)
	}
	if code.Kind != tcap.None {
		name = orNumber(name, int64(specifier(code)))
	}
	return strings.TrimSpace(c.Kind.String() + " " + name)
}

func orNumber(name string, n int64) string {
	if name != "" {
		return name
	}
	return strconv.FormatInt(n, 10)
}

// Draw writes all ladders.
func (l *Ladders) Draw(w io.Writer) error {
	var b bytes.Buffer
	for i, d := range l.list {
		if i > 0 {
			b.WriteByte('\n')
		}
		d.draw(&b)
	}
	if l.dropped > 0 {
		fmt.Fprintf(&b, "\n%d more messages or dialogues are not shown\n", l.dropped)
	}
	_, err := w.Write(b.Bytes())
	return err
}

const (
	columnWidth = 18
	timeWidth   = 14
)

func (d *ladder) draw(b *bytes.Buffer) {
	m := &d.first
	fmt.Fprintf(b, "%s  %s  %s -> %s  %s\n", m.TCAP.OTID, names.Context(&m.TCAP.Context),
		addressText(&m.Calling), addressText(&m.Called), time.Unix(0, m.Time).UTC().Format("2006-01-02 15:04:05.000000"))
	head := strings.Repeat(" ", timeWidth)
	for _, p := range d.points {
		head += fmt.Sprintf("%-*s", columnWidth, p)
	}
	fmt.Fprintln(b, strings.TrimRight(head, " "))
	for _, r := range d.rungs {
		offset := "+" + string(appendMilliseconds(nil, max(r.at-m.Time, 0)/1000*1000)) + " ms"
		fmt.Fprintf(b, "%-*s%s  %s  frame %d\n", timeWidth, offset, d.arrow(r), r.text, r.frame)
	}
}

// arrow draws a rung: a line for each point, and between two of them the arrow with
// its label.
func (d *ladder) arrow(r rung) string {
	line := bytes.Repeat([]byte{' '}, columnWidth*(len(d.points)-1)+1)
	from, to := min(r.from, r.to)*columnWidth, max(r.from, r.to)*columnWidth
	for i := from; i < to; i++ {
		line[i] = '-'
	}
	for i := range d.points {
		line[i*columnWidth] = '|'
	}
	if from == to {
		return string(line) + " " + r.label
	}
	if r.from < r.to {
		line[to-1] = '>'
	} else {
		line[from+1] = '<'
	}
	label := " " + r.label + " "
	copy(line[from+(to-from-len(label))/2+1:to-1], label)
	return string(line)
}

func addressText(a *sccp.Address) string {
	var parts []string
	if a.HasTitle() {
		parts = append(parts, a.GT())
	}
	if a.PC != 0 {
		parts = append(parts, fmt.Sprintf("pc %d", a.PC))
	}
	return strings.Join(append(parts, fmt.Sprintf("ssn %d", a.SSN)), " ")
}
