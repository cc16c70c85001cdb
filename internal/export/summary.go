package export

import (
	"fmt"
	"io"

	"github.com/tcapflow/tcapflow/internal/dialogue"
	"github.com/tcapflow/tcapflow/internal/sigtran"
	"github.com/tcapflow/tcapflow/internal/sigtran/tcap"
)

// Summary is the count of a whole run.
type Summary struct {
	sigtran.Counters
	Messages    Messages          `json:"tcap"`
	Dialogues   dialogue.Counters `json:"dialogues"`
	WritePcap   PacketCounters    `json:"write_pcap"`            // packets of dialogues, for -write-pcap
	HEP         HEPCounters       `json:"hep"`                   // messages for -hep
	KernelDrops uint64            `json:"kernel_drops"`          // by the kernel or interface, live only
	Interrupted bool              `json:"interrupted,omitempty"` // a signal ended the reading
	Stopped     string            `json:"stopped_by,omitempty"`  // the signal, where one did: SIGTERM
}

// Messages counts TCAP messages by kind. Those that SCCP brought back are not among
// them.
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

// count is a number with what it counts.
type count struct {
	n    uint64
	what string
}

// nonzero joins what there is of counts; "nothing" without any.
func nonzero(counts ...count) string {
	text := ""
	for _, c := range counts {
		if c.n > 0 {
			text += fmt.Sprintf(", %d %s", c.n, c.what)
		}
	}
	if text == "" {
		return "nothing"
	}
	return text[2:]
}

// Prose writes the summary for people. What is zero is left out of the last two lines.
func (s *Summary) Prose(out io.Writer) {
	m, d := s.Messages, s.Dialogues
	fmt.Fprintf(out, "%d packets, %d SCTP data chunks, %d TCAP messages: "+
		"%d begin, %d continue, %d end, %d abort, %d unidirectional\n",
		s.Packets, s.Chunks, m.Total, m.Begin, m.Continue, m.End, m.Abort, m.Unidirectional)
	fmt.Fprintf(out, "%d dialogues: %d answered, %d unanswered; %d undeliverable, %d repeated begins, "+
		"%d messages without a dialogue, %d evicted\n",
		d.Answered+d.Unanswered, d.Answered, d.Unanswered, d.Undeliverable,
		d.Repeated, d.Unmatched, d.Evicted)
	fmt.Fprintf(out, "passed over: %s\n", s.passedOver())
	fmt.Fprintf(out, "could not be read: %s\n", s.unread())
	if w := s.WritePcap; w != (PacketCounters{}) {
		fmt.Fprintf(out, "packets of dialogues: %d written, %d given up\n", w.Written, w.GivenUp)
	}
	if s.HEP != (HEPCounters{}) {
		fmt.Fprintf(out, "messages for HEP: %d sent, %d failed\n", s.HEP.Sent, s.HEP.Failed)
	}
	if s.Interrupted {
		fmt.Fprintln(out, "interrupted: not all was read")
	}
	if s.Stopped != "" {
		fmt.Fprintf(out, "stopped by %s: all that was read is written\n", s.Stopped)
	}
	if hint := s.Hint(); hint != "" {
		fmt.Fprintln(out, hint)
	}
}

func (s *Summary) passedOver() string {
	return nonzero(
		count{s.Frames.Other, "packets without SCTP"},
		count{s.Frames.FillIn, "fill-in units"},
		count{s.Data.Duplicates, "chunks sent or captured twice"},
		count{s.Data.Unknown, "chunks of an unknown protocol"},
		count{s.MSU.Other, "MTP3 messages of other users"},
		count{s.SCCP.Connection, "SCCP messages of connections"},
		count{s.UserData.Management, "of SCCP management"},
		count{s.UserData.Other, "of other SCCP users"},
		count{s.UserData.Returned, "returned by SCCP"},
	)
}

func (s *Summary) unread() string {
	m := s.Malformed
	return nonzero(
		count{s.CutPackets, "packets cut by the snap length"},
		count{s.Frames.Unsupported, "packets of an unknown link type"},
		count{s.Frames.Fragments.Incomplete, "IP fragments of incomplete packets"},
		count{s.Data.FragmentsIncomplete, "SCTP fragments of incomplete messages"},
		count{s.SCCP.Segments.Incomplete, "SCCP segments of incomplete messages"},
		count{s.Unread, "messages with addresses of no known form"},
		count{m.Link, "malformed packets"},
		count{m.SCTP, "malformed SCTP packets"},
		count{m.M3UA, "malformed M3UA messages"},
		count{m.M2PA, "malformed M2PA messages"},
		count{m.M2UA, "malformed M2UA messages"},
		count{m.SUA, "malformed SUA messages"},
		count{m.MTP3, "malformed MTP3 messages"},
		count{m.SCCP, "malformed SCCP messages"},
		count{m.TCAP, "malformed TCAP messages"},
		count{s.KernelDrops, "packets dropped by the kernel"},
	)
}
