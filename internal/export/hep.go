package export

import (
	"encoding/binary"
	"errors"
	"io"
	"net/netip"

	"github.com/tcapflow/tcapflow/internal/dialogue"
	"github.com/tcapflow/tcapflow/internal/sigtran"
	"github.com/tcapflow/tcapflow/internal/sigtran/sccp"
	"github.com/tcapflow/tcapflow/internal/sigtran/tcap"
)

// Chunks of HEP version 3, the protocol of Homer's capture agents
// (https://github.com/sipcapture/HEP, draft-hep-03 §3): vendor 0, type, length with these
// six octets, value; all numbers big endian.
const (
	hepFamily        = 1 // 2 for IPv4, 10 for IPv6
	hepProtocol      = 2 // as in the IP header
	hepSource4       = 3
	hepDestination4  = 4
	hepSource6       = 5
	hepDestination6  = 6
	hepSourcePort    = 7
	hepDestPort      = 8
	hepSeconds       = 9
	hepMicroseconds  = 10
	hepPayloadType   = 11
	hepAgent         = 12
	hepPayload       = 15
	hepCorrelationID = 17
)

const (
	hepMagic    = "HEP3"
	hepJSON     = 100 // payload type: a log entry as JSON, which Homer shows as it is
	hepSCTP     = 132
	maxDatagram = 65507 // UDP over IPv4: what the length of RFC 768 and RFC 791 leaves
)

// HEPCounters count the messages for -hep. The JSON tags are those of the summary.
type HEPCounters struct {
	Sent   uint64 `json:"sent"`
	Failed uint64 `json:"failed"` // refused, or longer than a datagram
}

// HEP sends TCAP messages to Homer: a datagram of HEP version 3 for each, whose payload is
// the "message" line. It is the table's Watcher, too, so that all messages of a dialogue
// have one correlation ID.
type HEP struct {
	Counters HEPCounters

	out      io.Writer // each Write is a datagram
	agent    uint32
	lines    *Writer
	datagram []byte
	message  *sigtran.Message
	id       string            // its dialogue's, once the table knows
	ids      map[uint32]string // of open dialogues
}

// NewHEP returns a HEP on a connection. agent is the number of this probe in Homer; clear
// as for Writer.Clear.
func NewHEP(out io.Writer, agent uint32, clear bool) *HEP {
	h := &HEP{out: out, agent: agent, ids: make(map[uint32]string)}
	h.lines = NewWriter(hepPayloadWriter{h})
	h.lines.clear = clear
	return h
}

// Begin is called with each message before the table takes it.
func (h *HEP) Begin(m *sigtran.Message) { h.message, h.id = m, "" }

// End is called once the table has it. send says whether it was selected.
func (h *HEP) End(send bool) {
	m := h.message
	h.message = nil
	if !send {
		return
	}
	if h.id == "" { // of no dialogue yet: what is answered is named by the side it is for
		h.id = correlationID(m.TCAP.DTID, &m.Called, m.DPC)
	}
	h.message = m
	err := errors.Join(h.lines.Message(m), h.lines.Flush())
	h.message, h.lines.err = nil, nil // the next one is tried anew
	if err != nil {
		h.Counters.Failed++
	} else {
		h.Counters.Sent++
	}
}

// Joined is of dialogue.Watcher.
func (h *HEP) Joined(number uint32, frame uint64) {
	m := h.message
	if m == nil || m.Frame != frame {
		return // one that was held; it was sent when it came
	}
	if h.ids[number] == "" {
		h.ids[number] = correlationID(m.TCAP.OTID, &m.Calling, m.OPC)
	}
	h.id = h.ids[number]
}

// Over is of dialogue.Watcher.
func (h *HEP) Over(number uint32, _ *dialogue.Record) { delete(h.ids, number) }

// correlationID names a dialogue by the side that began it, as every probe on its way sees
// it: transaction ID, and global title or else point code.
func correlationID(id tcap.TID, a *sccp.Address, pc uint32) string {
	b := append(id.AppendHex(nil), '@')
	if a.HasTitle() {
		return string(a.AppendGT(b))
	}
	return string(appendOpt(b, "pc", max(a.PC, pc)))
}

// hepPayloadWriter takes the line of a message and sends the datagram.
type hepPayloadWriter struct{ *HEP }

func (w hepPayloadWriter) Write(line []byte) (int, error) {
	w.encode(line[:len(line)-1]) // without the line feed
	if len(w.datagram) > maxDatagram {
		return 0, errors.New("longer than a datagram")
	}
	return w.out.Write(w.datagram)
}

func (h *HEP) encode(payload []byte) {
	m := h.message
	h.datagram = append(h.datagram[:0], hepMagic+"\x00\x00"...)
	h.addresses(m.Src, m.Dst)
	h.chunk(hepProtocol, hepSCTP)
	h.chunk(hepSourcePort, byte(m.SrcPort>>8), byte(m.SrcPort))
	h.chunk(hepDestPort, byte(m.DstPort>>8), byte(m.DstPort))
	h.chunk32(hepSeconds, uint32(m.Time/1e9))
	h.chunk32(hepMicroseconds, uint32(m.Time%1e9/1e3))
	h.chunk(hepPayloadType, hepJSON)
	h.chunk32(hepAgent, h.agent)
	h.chunk(hepCorrelationID, []byte(h.id)...)
	h.chunk(hepPayload, payload...)
	binary.BigEndian.PutUint16(h.datagram[len(hepMagic):], uint16(len(h.datagram)))
}

// addresses writes those of IP; of a TDM link, 0.0.0.0, as Homer wants some.
func (h *HEP) addresses(src, dst netip.Addr) {
	const afINET, afINET6 = 2, 10
	if src.Is6() && !src.Is4In6() {
		a, b := src.As16(), dst.As16()
		h.chunk(hepFamily, afINET6)
		h.chunk(hepSource6, a[:]...)
		h.chunk(hepDestination6, b[:]...)
		return
	}
	var a, b [4]byte
	if src.IsValid() {
		a, b = src.Unmap().As4(), dst.Unmap().As4()
	}
	h.chunk(hepFamily, afINET)
	h.chunk(hepSource4, a[:]...)
	h.chunk(hepDestination4, b[:]...)
}

func (h *HEP) chunk32(kind uint16, v uint32) {
	h.chunk(kind, byte(v>>24), byte(v>>16), byte(v>>8), byte(v))
}

func (h *HEP) chunk(kind uint16, value ...byte) {
	const vendor, header = 0, 6
	h.datagram = binary.BigEndian.AppendUint16(h.datagram, vendor)
	h.datagram = binary.BigEndian.AppendUint16(h.datagram, kind)
	h.datagram = binary.BigEndian.AppendUint16(h.datagram, uint16(header+len(value)))
	h.datagram = append(h.datagram, value...)
}
