package export

import (
	"encoding/json"
	"net/netip"
	"slices"
	"strconv"

	"github.com/tcapflow/tcapflow/internal/sigtran/mtp3"
	"github.com/tcapflow/tcapflow/internal/sigtran/sccp"
	"github.com/tcapflow/tcapflow/internal/sigtran/tcap"
)

// Fields. Those with a plain name are always written, opt… only if not zero.

// key writes a comma, the name and a colon; in one go, as there are dozens in a line.
func (w *Writer) key(name string) {
	n, size := len(w.b), len(name)+4
	b := slices.Grow(w.b, size)[:n+size]
	field := b[n:]
	field[0], field[1] = ',', '"'
	copy(field[2:], name)
	field[size-2], field[size-1] = '"', ':'
	w.b = b
}

func (w *Writer) number(name string, v int64) {
	w.key(name)
	w.b = strconv.AppendInt(w.b, v, 10)
}

func (w *Writer) optNumber(name string, v int64) {
	if v != 0 {
		w.number(name, v)
	}
}

// word writes a string that needs no escapes.
func (w *Writer) word(name, v string) {
	w.key(name)
	w.b = append(w.b, '"')
	w.b = append(w.b, v...)
	w.b = append(w.b, '"')
}

func (w *Writer) optWord(name, v string) {
	if v != "" {
		w.word(name, v)
	}
}

// text writes any string.
func (w *Writer) text(name, v string) {
	w.key(name)
	quoted, _ := json.Marshal(v) // a string can always be encoded
	w.b = append(w.b, quoted...)
}

func (w *Writer) optTID(name string, t tcap.TID) {
	if !t.IsZero() {
		w.key(name)
		w.b = append(t.AppendHex(append(w.b, '"')), '"')
	}
}

func (w *Writer) optOID(name string, o *tcap.OID) {
	if !o.IsZero() {
		w.key(name)
		w.b = append(o.Append(append(w.b, '"')), '"')
	}
}

func (w *Writer) optAddr(name string, a netip.Addr) {
	if a.IsValid() {
		w.key(name)
		w.b = append(a.AppendTo(append(w.b, '"')), '"')
	}
}

func (w *Writer) stamp(name string, nanoseconds int64) {
	w.key(name)
	w.b = append(w.clock.append(append(w.b, '"'), nanoseconds), '"')
}

// milliseconds writes a duration in nanoseconds, exactly.
func (w *Writer) milliseconds(name string, n int64) {
	w.key(name)
	w.b = appendMilliseconds(w.b, n)
}

func appendMilliseconds(b []byte, n int64) []byte {
	b = strconv.AppendInt(b, n/1e6, 10)
	fraction := n % 1e6
	if fraction == 0 {
		return b
	}
	b = append(b, '.')
	for unit := int64(1e5); fraction > 0; unit /= 10 {
		b = append(b, byte('0'+fraction/unit))
		fraction %= unit
	}
	return b
}

// address writes a party address.
func (w *Writer) address(name string, a *sccp.Address) {
	w.key(name)
	w.b = appendAddress(w.b, a)
}

func appendAddress(b []byte, a *sccp.Address) []byte {
	b = append(b, '{')
	start := len(b)
	if a.HasTitle() {
		b = append(a.AppendGT(append(b, `,"gt":"`...)), '"')
	}
	b = appendOpt(b, `,"ssn":`, uint32(a.SSN))
	b = appendOpt(b, `,"pc":`, a.PC)
	if a.GTI != 0 {
		b = appendOpt(b, `,"gti":`, uint32(a.GTI))
		b = appendOpt(b, `,"tt":`, uint32(a.TT))
		b = appendOpt(b, `,"np":`, uint32(a.Plan))
		b = appendOpt(b, `,"nai":`, uint32(a.Nature))
	}
	if a.RouteOnSSN {
		b = append(b, `,"ri":"ssn"`...)
	}
	if a.Truncated {
		b = append(b, `,"truncated":true`...)
	}
	if a.Unread {
		b = append(b, `,"unread":true`...)
	}
	if len(b) > start { // without the first field's comma
		b = append(b[:start], b[start+1:]...)
	}
	return append(b, '}')
}

// appendOpt appends a number, with its key, if it is not zero.
func appendOpt(b []byte, key string, v uint32) []byte {
	if v == 0 {
		return b
	}
	return strconv.AppendUint(append(b, key...), uint64(v), 10)
}

func (w *Writer) flag(name string) {
	w.key(name)
	w.b = append(w.b, "true"...)
}

// standard is left out for ITU's, which is the usual one.
func (w *Writer) standard(s mtp3.Standard) {
	if s != mtp3.ITU {
		w.word("standard", s.String())
	}
}

func (w *Writer) origin(frame uint64) {
	if w.place == nil {
		return
	}
	file, number := w.place(frame)
	w.text("file", file)
	w.number("file_frame", int64(number))
}
