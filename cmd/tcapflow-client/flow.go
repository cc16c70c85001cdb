package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tcapflow/tcapflow/internal/dialogue"
	"github.com/tcapflow/tcapflow/internal/export"
	"github.com/tcapflow/tcapflow/internal/pcap"
	"github.com/tcapflow/tcapflow/internal/serve"
	"github.com/tcapflow/tcapflow/internal/sigtran"
	"github.com/tcapflow/tcapflow/internal/sigtran/clock"
)

// flow is the way of packets through the rooms: source, decoder, dialogue
// table, writer.
type flow struct {
	options     flowOptions
	decoder     *sigtran.Decoder
	clock       clock.Clock
	odd         *pcap.Packet // held back, see packet
	table       *dialogue.Table
	out         *export.Writer
	latency     export.Latencies
	summary     export.Summary
	mu          sync.Mutex      // held while a packet is worked on, if shared
	shared      bool            // metrics are read meanwhile
	top         *export.Top     // is shown, in the place of lines; or nil
	live        bool            // the source may pause: write lines as they come
	flushed     int64           // capture time at which that was done last
	packets     *export.Packets // of dialogues, or nil
	file        *pcap.Writer    // where they go
	packetsInfo os.FileInfo     // of that file, where it has its name from the start
	output      *outputFile     // of -output, or nil
	wake        atomic.Bool     // there is something to attend to, see attend
	watchdog    atomic.Bool     // the service manager wants to hear that packets are taken
	hangup      atomic.Bool     // SIGHUP came
	server      *serve.Server
	statsd      *export.StatsD // or nil
	hep         *export.HEP    // or nil
	log         *slog.Logger   // for what is said in lines of JSON, or nil
	began       bool
	free        chan *batch // see drainStaged
	files       []filePart
}

// filePart is where a file's frames begin.
type filePart struct {
	name   string
	before uint64 // frames before it
}

func newFlow(stdout io.Writer, o flowOptions) *flow {
	f := &flow{options: o, out: export.NewWriter(stdout)}
	if o.writePcap != "" {
		f.packets = export.NewPackets(o.filter.Dialogue, o.table.Hold, f.writePacket)
		o.decoder.Trace, o.table.Watch = f.packets, f.packets
	}
	if o.clear {
		f.out.Clear()
	}
	o.decoder.Subscribers = o.decoder.Subscribers &&
		(o.messages || o.hep.address != "") && !o.filter.OfDialogues()
	f.decoder, f.table = sigtran.NewDecoder(o.decoder), dialogue.NewTable(o.table)
	return f
}

// start writes the first line, once.
func (f *flow) start() error {
	if f.began {
		return nil
	}
	f.began = true
	if err := f.out.Start(); err != nil {
		return writeError{err}
	}
	return nil
}

// place tells the file of a frame, and the frame's number in it.
func (f *flow) place(frame uint64) (file string, number uint64) {
	for i := len(f.files) - 1; i >= 0; i-- {
		if p := f.files[i]; frame > p.before {
			return p.name, frame - p.before
		}
	}
	return "", frame
}

// writeError sets errors of the output apart from those of the source.
type writeError struct{ error }

func (e writeError) Unwrap() error { return e.error }

// drain takes packets from src until it ends, ctx is done, or limit packets have
// come (0: no limit).
func (f *flow) drain(ctx context.Context, src pcap.Source, limit uint64) error {
	if f.staged() {
		return f.drainStaged(ctx, src, limit)
	}
	for n := uint64(0); (limit == 0 || n < limit) && ctx.Err() == nil; {
		if f.wake.Load() {
			if err := f.attend(); err != nil {
				return writeError{err}
			}
		}
		if f.live && src.MayWait() {
			if err := f.flush(); err != nil {
				return writeError{err}
			}
		}
		p, err := src.Next()
		switch {
		case err == io.EOF:
			return nil
		case errors.Is(err, pcap.ErrIdle):
			if err := f.idle(src); err != nil {
				return writeError{err}
			}
			continue
		case err != nil:
			return err
		}
		if n++; f.top != nil && f.live && n%4096 == 0 {
			f.drops(src)
		}
		if err := f.locked(p); err != nil {
			return writeError{err}
		}
	}
	return nil
}

// locked works on a packet while nobody reads the metrics.
func (f *flow) locked(p pcap.Packet) error {
	if !f.shared {
		return f.packet(p)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.packet(p)
}

// packet takes the next packet. One whose time is odd is held back until the next one
// tells what to think of it.
func (f *flow) packet(p pcap.Packet) error { return f.sequence(p, f.decode) }

// sequence gives a packet, and the one that was held back before it, to decode.
func (f *flow) sequence(p pcap.Packet, decode func(pcap.Packet) error) error {
	var err error
	if odd := f.odd; odd != nil {
		f.odd = nil
		f.clock.Believe(odd.Time, p.Time)
		err = decode(*odd)
	}
	if f.clock.Odd(p.Time) {
		odd := p // p itself would go to the heap, each time
		odd.Data = bytes.Clone(p.Data)
		f.odd = &odd
		return err
	}
	return errors.Join(err, decode(p))
}

// idle is called where no packet came for a moment.
func (f *flow) idle(src pcap.Source) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.summary.KernelDrops, _ = src.Dropped() // not known on every kind of interface
	return errors.Join(f.settle(), f.flush())
}

// drops asks a source for the last time how many packets it lost.
func (f *flow) drops(src pcap.Source) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.summary.KernelDrops, _ = src.Dropped()
}

// settle takes the packet that was held back, where there is no next one.
func (f *flow) settle() error {
	if f.odd == nil {
		return nil
	}
	odd := *f.odd
	f.odd = nil
	return f.decode(odd)
}

func (f *flow) decode(p pcap.Packet) error {
	now := f.clock.Advance(p.Time)
	if f.top != nil {
		f.top.Begin(now)
	}
	err := f.records(f.table.Advance(now))
	if f.packets != nil {
		f.packets.Begin(p, now)
	}
	messages := f.decoder.Decode(p.Link, p.Time, now, p.Data, p.Wire > len(p.Data))
	err = errors.Join(err, f.take(messages))
	if f.packets != nil {
		err = errors.Join(err, f.packets.End(len(messages)))
	}
	if len(messages) == 0 {
		return err
	}
	if f.live && now-f.flushed >= flushEvery {
		f.flushed = now
		err = errors.Join(err, f.flush())
	}
	return err
}

// flush writes what is buffered.
func (f *flow) flush() error {
	err := f.out.Flush()
	if f.file != nil {
		err = errors.Join(err, f.named(f.file.Flush()))
	}
	return err
}

// flushEvery is how long lines of a live capture may be held back, in nanoseconds: a
// write for each packet would take longer than all else.
const flushEvery = int64(100 * time.Millisecond)

func (f *flow) take(messages []sigtran.Message) error {
	var err error
	for i := range messages {
		m := &messages[i]
		err = errors.Join(err, f.line(m), f.records(f.observe(m)))
	}
	return err
}

// line writes a message, if it is selected, and counts it.
func (f *flow) line(m *sigtran.Message) error {
	if !m.Returned() {
		f.summary.Messages.Count(m.TCAP.Kind)
	}
	if f.options.messages && f.options.filter.Message(m) {
		return f.out.Message(m)
	}
	return nil
}

func (f *flow) records(list []dialogue.Record) error {
	var err error
	for i := range list {
		if !f.options.filter.Dialogue(&list[i]) {
			continue
		}
		if f.top != nil {
			f.top.Add(&list[i])
			continue
		}
		f.latency.Add(&list[i])
		if f.statsd != nil {
			f.statsd.Add(&list[i])
		}
		err = errors.Join(err, f.out.Dialogue(&list[i]))
	}
	return err
}

// finish writes what is still open and the summaries.
func (f *flow) finish(stderr io.Writer) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	err := errors.Join(f.settle(), f.take(f.decoder.Close()), f.records(f.table.Close()))
	f.summary.Counters = f.decoder.Counters()
	f.summary.Dialogues = f.table.Counters()
	err = errors.Join(err, f.lastPackets())
	if err := errors.Join(err, f.out.Summary(&f.summary), f.out.Flush()); err != nil {
		return writeError{err}
	}
	if err := f.closePackets(); err != nil {
		return writeError{err}
	}
	if f.log != nil {
		f.log.Info("summary", "summary", &f.summary)
		return nil
	}
	f.summary.Prose(stderr)
	if f.options.histogram {
		fmt.Fprintln(stderr)
		f.latency.Table(stderr)
	}
	return nil
}
