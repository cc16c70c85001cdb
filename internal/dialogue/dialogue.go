// Package dialogue follows TCAP dialogues: TCAP messages come in, in the order
// of capture, and a record comes out for every dialogue once it is over.
//
// A dialogue's side is known by its global title, subsystem number and
// transaction ID; where an address has no global title, by its point code
// (ITU-T Q.773 leaves transaction IDs to each side, so they are unique for one
// side only). The answering side may give another global title than the one
// that was called, and so only the side that a message is for is matched. A node on
// the way may have translated the title of that side, too, or its subsystem number:
// then transaction ID and point code tell.
//
// A capture of several links holds the same message once for every hop. Each
// hop is a dialogue of its own: where several fit, the one whose originating
// point code the answer goes back to is taken.
//
// Messages may come before those that they follow: two links are captured by two
// queues, two files are given in the wrong order. They are held for a moment.
//
// All times are capture times; the clock is never read.
package dialogue

import (
	"slices"
	"time"

	"github.com/tcapflow/tcapflow/internal/sigtran"
	"github.com/tcapflow/tcapflow/internal/sigtran/mtp3"
	"github.com/tcapflow/tcapflow/internal/sigtran/sccp"
	"github.com/tcapflow/tcapflow/internal/sigtran/tcap"
)

// Options bound a Table. Zero values stand for the defaults.
type Options struct {
	AnswerTimeout time.Duration // a Begin without an answer; 60 s
	IdleTimeout   time.Duration // an answered dialogue without a message; 10 min
	Hold          time.Duration // a message that comes before its Begin; 2 s
	Max           int           // dialogues that are followed at a time; 4194304
	Watch         Watcher       // if not nil, told what dialogues consist of
}

// Watcher is told which frames a dialogue consists of. Dialogues are numbers, which are
// given to others once they are over.
type Watcher interface {
	// Joined says that a message of the frame belongs to a dialogue: that it began or
	// followed it, or is its Begin once more.
	Joined(dialogue uint32, frame uint64)
	// Over is called when a dialogue is over, before its record is returned.
	Over(dialogue uint32, r *Record)
}

func (o Options) withDefaults() Options {
	if o.AnswerTimeout <= 0 {
		o.AnswerTimeout = time.Minute
	}
	if o.IdleTimeout <= 0 {
		o.IdleTimeout = 10 * time.Minute
	}
	if o.Hold <= 0 {
		o.Hold = 2 * time.Second
	}
	if o.Max <= 0 {
		o.Max = 1 << 22
	}
	return o
}

// Outcome says how a dialogue was over.
type Outcome byte

// The outcomes.
const (
	Open          Outcome = iota // it was not over when the capture was
	Ended                        // End
	Aborted                      // Abort
	TimedOut                     // no answer, or no further message
	Evicted                      // the table was full
	Replaced                     // its transaction ID began another dialogue
	Undeliverable                // SCCP brought a message back
)

var outcomeNames = [...]string{
	"capture-end", "end", "abort", "timeout", "evicted", "replaced", "undeliverable",
}

func (o Outcome) String() string { return outcomeNames[o] }

// OutcomeNames are the names of all outcomes.
func OutcomeNames() []string { return slices.Clone(outcomeNames[:]) }

// ParseOutcome is the inverse of String.
func ParseOutcome(name string) (Outcome, bool) {
	at := slices.Index(outcomeNames[:], name)
	return Outcome(max(at, 0)), at >= 0
}

// Code is an operation or error code.
type Code struct {
	Value int32
	Kind  tcap.CodeKind // None: there was none. Global: Value is 0
}

// Record is one dialogue that is over. It is a value and aliases nothing. Times are
// capture times in nanoseconds since 1970.
type Record struct {
	Begin, Answer, Last int64
	BeginFrame          uint64
	AnswerFrame         uint64 // of the first Continue, End or Abort for the Begin; 0: unanswered
	LastFrame           uint64
	Calling, Called     sccp.Address // of the Begin
	OPC, DPC            uint32       // of the Begin
	OTID                tcap.TID
	DTID                tcap.TID // that the answer gave
	Context             tcap.OID // of the Begin
	Operation           Code     // of the first invoke
	Error               Code     // of the first return error
	Messages            uint32
	Cause               int16 // of the abort by the provider, or of the return; else -1
	AnswerKind          tcap.Kind
	Package             byte // of the Begin, see tcap.Message
	Via                 sigtran.Via
	Standard            mtp3.Standard
	Outcome             Outcome
}

// Answered tells whether the Begin was answered.
func (r *Record) Answered() bool { return r.AnswerFrame != 0 }

// Latency is the time from the Begin to its first answer; 0 without one, or where
// two clocks disagree about which was first.
func (r *Record) Latency() time.Duration {
	if !r.Answered() {
		return 0
	}
	return time.Duration(max(r.Answer-r.Begin, 0))
}

// Duration is the time from the Begin to the last message.
func (r *Record) Duration() time.Duration { return time.Duration(max(r.Last-r.Begin, 0)) }

// Counters count dialogues and what did not fit one. Answered and Unanswered add up to
// the dialogues that are over; Followed and Unmatched to the messages Continue, End and
// Abort, and those that came back, but for the held ones.
type Counters struct {
	Answered      uint64 `json:"answered"`
	Unanswered    uint64 `json:"unanswered"`
	Undeliverable uint64 `json:"undeliverable"` // of both
	Evicted       uint64 `json:"evicted"`       // of both: the table was full
	Repeated      uint64 `json:"repeated_begins"`
	Followed      uint64 `json:"followed_messages"`
	Unmatched     uint64 `json:"unmatched_messages"` // without a dialogue

	// Of Followed, those that came before what they follow, and those whose title or
	// subsystem did not fit. Of Unmatched, those that the bound of held ones cut off.
	Early       uint64 `json:"early_messages"`
	ByPointCode uint64 `json:"matched_by_point_code"`
	HeldDropped uint64 `json:"held_dropped"`
}
