package main

import (
	"context"
	"flag"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/tcapflow/tcapflow/internal/pcap"
	"github.com/tcapflow/tcapflow/internal/sigtran/sigtrantest"
)

// traffic writes a capture of so many packets, and says where.
func traffic(tb testing.TB, packets int) string {
	tb.Helper()
	name := filepath.Join(tb.TempDir(), "traffic.pcap")
	f, err := os.Create(name)
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	if err := sigtrantest.NewTraffic().WriteTo(f, packets); err != nil {
		tb.Fatal(err)
	}
	return name
}

func options(tb testing.TB, args ...string) (o flowOptions) {
	tb.Helper()
	f := flag.NewFlagSet("read", flag.ContinueOnError)
	o.flags(f)
	if err := f.Parse(args); err != nil {
		tb.Fatal(err)
	}
	return o
}

// BenchmarkRead takes a capture of made-up traffic from the file to the lines. The
// figures are of one packet.
func BenchmarkRead(b *testing.B) {
	const packets = 200_000
	name := traffic(b, packets)
	for _, bm := range []struct {
		name string
		args []string
	}{
		{"messages", nil},
		{"dialogues", []string{"-messages=false"}},
		{"metrics", []string{"-messages=false", "-outcome=timeout"}}, // no line at all
	} {
		b.Run(bm.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				flow := newFlow(io.Discard, options(b, bm.args...))
				src, err := pcap.OpenFile(name, nil)
				if err != nil {
					b.Fatal(err)
				}
				if err := flow.drain(context.Background(), src, 0); err != nil {
					b.Fatal(err)
				}
				src.Close()
				if c := flow.table.Counters(); c.Answered < packets/5 || c.Unmatched > 0 {
					b.Fatalf("%+v", c)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/packets, "ns/packet")
			b.ReportMetric(float64(b.N)*packets/b.Elapsed().Seconds(), "packets/s")
		})
	}
}

// TestNoAllocations holds what makes it fast: once all buffers are there, a packet
// takes none.
func TestNoAllocations(t *testing.T) {
	const packets = 100_000 // a drain has some allocations of its own
	name := traffic(t, packets)
	flow := newFlow(io.Discard, options(t))
	src, err := pcap.OpenFile(name, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	if err := flow.drain(context.Background(), src, packets/2); err != nil {
		t.Fatal(err)
	}
	n := testing.AllocsPerRun(10, func() {
		if err := flow.drain(context.Background(), src, packets/25); err != nil {
			t.Fatal(err)
		}
	})
	if perPacket := n / (packets / 25); perPacket > 0.01 {
		t.Errorf("%v allocations for a packet", perPacket)
	}
}
