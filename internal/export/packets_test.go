package export

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/tcapflow/tcapflow/internal/dialogue"
	"github.com/tcapflow/tcapflow/internal/pcap"
)

// newTestPackets writes to a list; dialogues that ended are wanted.
func newTestPackets() (k *Packets, written *[]string) {
	written = new([]string)
	wanted := func(r *dialogue.Record) bool { return r.Outcome == dialogue.Ended }
	return NewPackets(wanted, time.Second, func(p pcap.Packet) error {
		*written = append(*written, string(p.Data))
		return nil
	}), written
}

// packet takes a packet, of these dialogues; its text is its number.
func packet(t *testing.T, k *Packets, at time.Duration, dialogues ...uint32) {
	t.Helper()
	buffer := []byte(fmt.Sprint(k.current.frame + 1))
	k.Begin(pcap.Packet{Data: buffer}, int64(at))
	for _, d := range dialogues {
		k.Joined(d, k.current.frame)
	}
	if err := k.End(len(dialogues)); err != nil {
		t.Fatal(err)
	}
	buffer[0] = '?' // it is the source's
}

func over(k *Packets, number uint32, o dialogue.Outcome) {
	k.Over(number, &dialogue.Record{Outcome: o})
}

func TestPackets(t *testing.T) {
	k, written := newTestPackets()
	packet(t, k, 1, 1)
	packet(t, k, 2, 2)
	packet(t, k, 3)
	packet(t, k, 4, 2, 3)
	over(k, 2, dialogue.Ended)
	over(k, 3, dialogue.Aborted)
	packet(t, k, 5*time.Second, 2) // the number is another dialogue's now
	if len(*written) != 0 {
		t.Errorf("%q came before 1 was decided", *written)
	}
	over(k, 1, dialogue.Ended)
	packet(t, k, 6*time.Second)
	if want := []string{"1", "2", "4"}; !slices.Equal(*written, want) {
		t.Errorf("got %q, want %q", *written, want)
	}
	over(k, 2, dialogue.Aborted)
	if err := k.Close(); err != nil || len(*written) != 3 || k.held != 0 || len(k.byFrame)+len(k.claims) != 0 {
		t.Errorf("error %v, %q written, %d octets held", err, *written, k.held)
	}
	if k.Counters != (PacketCounters{Written: 3}) {
		t.Errorf("got %+v", k.Counters)
	}
}

// TestPieces has a message in three frames, whose second one has a piece of another.
func TestPieces(t *testing.T) {
	k, written := newTestPackets()
	piece := func(others ...uint64) {
		k.Begin(pcap.Packet{Data: []byte(fmt.Sprint(k.current.frame + 1))}, 0)
		k.Waits(k.current.frame)
		for _, other := range others {
			k.Joins(k.current.frame, other)
		}
		if err := k.End(0); err != nil {
			t.Fatal(err)
		}
	}
	piece()
	piece(1)
	piece()
	packet(t, k, time.Minute)
	piece(2, 3)
	k.Joined(7, 5) // 5 joins 2, which joins 1; 3 is no longer there
	over(k, 7, dialogue.Ended)
	if err := k.Close(); err != nil {
		t.Fatal(err)
	}
	if len(*written) != 1 || k.Counters != (PacketCounters{Written: 1, GivenUp: 2}) {
		t.Errorf("got %q, %+v: pieces wait for half a minute", *written, k.Counters)
	}

	k, written = newTestPackets()
	piece()
	piece(1)
	piece()
	piece(2)
	k.Joined(7, 4)
	over(k, 7, dialogue.Ended)
	if err := k.Close(); err != nil || !slices.Equal(*written, []string{"1", "2", "4"}) {
		t.Errorf("error %v, got %q", err, *written)
	}
}

// TestPacketsBound has a dialogue that never ends, and many after it.
func TestPacketsBound(t *testing.T) {
	k, written := newTestPackets()
	k.limit = 100 * keptOverhead
	packet(t, k, 0, 1)
	for i := range 1000 {
		packet(t, k, time.Duration(i)*time.Millisecond, 2)
		over(k, 2, dialogue.Ended)
		if k.held > k.limit+keptOverhead || len(k.queue) > 101 {
			t.Fatalf("%d octets, %d packets are held", k.held, len(k.queue))
		}
	}
	over(k, 1, dialogue.Ended)
	if err := k.Close(); err != nil || len(*written) != 1000 {
		t.Errorf("error %v, %d written", err, len(*written))
	}
	if k.Counters != (PacketCounters{Written: 1000, GivenUp: 1}) {
		t.Errorf("got %+v", k.Counters)
	}
}
