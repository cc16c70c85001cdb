package export

import (
	"bytes"
	"slices"
	"time"

	"github.com/tcapflow/tcapflow/internal/dialogue"
	"github.com/tcapflow/tcapflow/internal/pcap"
)

// PacketsLimit bounds the octets of packets that wait until it is known what becomes of
// their dialogues.
const PacketsLimit = 256 << 20

// pieceLife is how long, in nanoseconds of capture time, a fragment or segment waits for
// the message that it is of; IP fragments are given up after as long.
const pieceLife = int64(30 * time.Second)

// keptOverhead is about what the program itself needs for a packet, in octets.
const keptOverhead = 256

// Packets selects the packets of dialogues: whether a dialogue is wanted is known once it
// is over, and until then its packets wait. They are written in the order in which they
// came. It watches a dialogue.Table and traces a sigtran.Decoder; both have to be told
// of it.
type Packets struct {
	Counters PacketCounters
	wanted   func(*dialogue.Record) bool
	write    func(pcap.Packet) error
	hold     int64 // nanoseconds; a message may wait so long for its dialogue
	limit    int   // octets

	now     int64
	current kept // between Begin and End
	inside  bool
	queue   []*kept // by frame
	settled int     // those of the queue that no further dialogue can claim
	byFrame map[uint64]*kept
	claims  map[uint32][]uint64 // frames of open dialogues
	held    int                 // octets
}

// PacketCounters tell what became of packets of dialogues.
type PacketCounters struct {
	Written uint64 `json:"written"`
	// GivenUp were of dialogues that were open when there was no more room, or came so
	// long before the rest of their message that they were no longer there.
	GivenUp uint64 `json:"given_up"`
}

// kept is a packet that may have to be written.
type kept struct {
	packet pcap.Packet
	frame  uint64
	others []uint64 // frames that its messages have pieces of
	open   int      // messages of dialogues that are not over
	until  int64    // capture time up to which further dialogues may claim it
	piece  bool     // it has a piece of a message that is not whole
	wanted bool
}

// NewPackets hands the packets of the dialogues that are wanted to write. hold is that of
// the dialogue.Table.
func NewPackets(
	wanted func(*dialogue.Record) bool, hold time.Duration, write func(pcap.Packet) error,
) *Packets {
	return &Packets{
		wanted: wanted, hold: int64(hold), write: write, limit: PacketsLimit,
		byFrame: make(map[uint64]*kept), claims: make(map[uint32][]uint64),
	}
}

// Begin takes a packet before it is decoded; now is the capture's clock.
func (k *Packets) Begin(p pcap.Packet, now int64) {
	k.now, k.inside = now, true
	k.current = kept{packet: p, frame: k.current.frame + 1}
}

// End is called once the packet's messages were observed, with how many there were. It
// writes what is decided.
func (k *Packets) End(messages int) error {
	e := k.current
	k.inside = false
	if messages > 0 || e.open > 0 || e.wanted || e.piece {
		e.until = k.now + k.hold
		if e.piece {
			e.until = k.now + max(k.hold, pieceLife)
		}
		e.packet.Data = bytes.Clone(e.packet.Data)
		k.held += e.size()
		k.queue = append(k.queue, &e)
		k.byFrame[e.frame] = &e
	}
	k.settle()
	return k.flush(false)
}

// Close writes the rest, after the table was closed.
func (k *Packets) Close() error { return k.flush(true) }

// Waits is told by the decoder that a frame has a piece of a message.
func (k *Packets) Waits(frame uint64) {
	if e := k.entry(frame); e != nil {
		e.piece = true
	}
}

// Joins is told by the decoder that the message of a frame has a piece of another.
func (k *Packets) Joins(frame, other uint64) {
	if e := k.entry(frame); e != nil {
		e.others = append(e.others, other)
	}
}

// Joined is told by the table that a frame belongs to a dialogue.
func (k *Packets) Joined(number uint32, frame uint64) {
	frames := []uint64{frame}
	for i := 0; i < len(frames); i++ {
		e := k.entry(frames[i])
		if e == nil {
			k.Counters.GivenUp++
			continue
		}
		e.open++
		k.claims[number] = append(k.claims[number], e.frame)
		for _, other := range e.others {
			if !slices.Contains(frames, other) {
				frames = append(frames, other)
			}
		}
	}
}

// Over is told by the table that a dialogue is over.
func (k *Packets) Over(number uint32, r *dialogue.Record) {
	wanted := k.wanted(r)
	for _, frame := range k.claims[number] {
		if e := k.entry(frame); e != nil {
			e.open--
			e.wanted = e.wanted || wanted
			k.release(e)
		}
	}
	delete(k.claims, number)
}

func (k *Packets) entry(frame uint64) *kept {
	if k.inside && frame == k.current.frame {
		return &k.current
	}
	return k.byFrame[frame]
}

// settle passes over the packets that no further dialogue can claim.
func (k *Packets) settle() {
	for k.settled < len(k.queue) && k.queue[k.settled].until <= k.now {
		e := k.queue[k.settled]
		k.settled++
		e.until = 0
		k.release(e)
	}
}

// release frees a packet that nobody wants, wherever it is in the queue: one dialogue that
// goes on for long must not keep those of all the others.
func (k *Packets) release(e *kept) {
	if e.until == 0 && e.open == 0 && !e.wanted && e.packet.Data != nil && e != &k.current {
		k.held -= len(e.packet.Data)
		e.packet.Data = nil
	}
}

// flush writes and forgets packets from the oldest one on, up to one that is not decided;
// where there are too many or all is over, that one too.
func (k *Packets) flush(all bool) error {
	n := 0
	for ; n < len(k.queue); n++ {
		e := k.queue[n]
		undecided := e.open > 0 || e.until > k.now
		if undecided && !all && k.held <= k.limit {
			break
		}
		if err := k.leave(e); err != nil {
			return err
		}
	}
	k.queue = slices.Delete(k.queue, 0, n)
	k.settled = max(0, k.settled-n)
	return nil
}

// leave writes a packet that is wanted, and forgets it.
func (k *Packets) leave(e *kept) error {
	k.held -= e.size()
	delete(k.byFrame, e.frame)
	if e.wanted {
		k.Counters.Written++
		return k.write(e.packet)
	}
	if e.open > 0 {
		k.Counters.GivenUp++
	}
	return nil
}

func (e *kept) size() int { return keptOverhead + len(e.packet.Data) }
