package export

import (
	"encoding/json"
	"net/netip"
	"strconv"

	"github.com/tcapflow/tcapflow/internal/sigtran/mtp3"
	"github.com/tcapflow/tcapflow/internal/sigtran/sccp"
	"github.com/tcapflow/tcapflow/internal/sigtran/tcap"
)

// Fields. Those with a plain name are always written, opt… only if not zero.

func (w *Writer) key(name string) {
	w.b = append(w.b, ',', '"')
	w.b = append(w.b, name...)
	w.b = append(w.b, '"', ':')
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
	w.b = append(w.b, '{')
	start := len(w.b)
	if a.HasTitle() {
		w.key("gt")
		w.b = append(a.AppendGT(append(w.b, '"')), '"')
	}
	w.optNumber("ssn", int64(a.SSN))
	w.optNumber("pc", int64(a.PC))
	if a.GTI != 0 {
		w.number("gti", int64(a.GTI))
		w.optNumber("tt", int64(a.TT))
		w.optNumber("np", int64(a.Plan))
		w.optNumber("nai", int64(a.Nature))
	}
	if a.RouteOnSSN {
		w.word("ri", "ssn")
	}
	if a.Truncated {
		w.flag("truncated")
	}
	if a.Unread {
		w.flag("unread")
	}
	if len(w.b) > start { // the first field's comma
		w.b = append(w.b[:start], w.b[start+1:]...)
	}
	w.b = append(w.b, '}')
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
