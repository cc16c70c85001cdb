package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/tcapflow/tcapflow/internal/dialogue"
	"github.com/tcapflow/tcapflow/internal/export"
	"github.com/tcapflow/tcapflow/internal/pcap"
	"github.com/tcapflow/tcapflow/internal/sigtran"
	"github.com/tcapflow/tcapflow/internal/sigtran/clock"
	"github.com/tcapflow/tcapflow/internal/sigtran/mtp3"
	"github.com/tcapflow/tcapflow/internal/sigtran/sctp"
)

// flowOptions are what "read" and "capture" have in common.
type flowOptions struct {
	decoder   sigtran.Options
	table     dialogue.Options
	messages  bool
	histogram bool
	filter    export.Filter
}

// flags defines them.
func (o *flowOptions) flags(f *flag.FlagSet) {
	o.decoderFlags(f)
	f.DurationVar(&o.table.AnswerTimeout, "timeout", time.Minute, "")
	f.DurationVar(&o.table.Hold, "hold", 2*time.Second, "")
	f.IntVar(&o.table.Max, "max-dialogues", 1<<22, "")
	f.BoolVar(&o.messages, "messages", true, "")
	f.BoolVar(&o.histogram, "histogram", false, "")
	o.filterFlags(f)
}

// decoderFlags defines those that say how to read messages.
func (o *flowOptions) decoderFlags(f *flag.FlagSet) {
	o.decoder.Auto = true
	f.Func("standard", "", o.standard)
	f.Func("port", "", o.port)
}

// standard takes the name of a standard, or "auto".
func (o *flowOptions) standard(name string) error {
	s, ok := mtp3.ParseStandard(name)
	if !ok && name != "auto" {
		return errors.New("want auto, itu, ansi, china or japan")
	}
	o.decoder.Standard, o.decoder.Auto = s, name == "auto"
	return nil
}

// port takes "12905=m3ua".
func (o *flowOptions) port(v string) error {
	protocols := map[string]uint32{
		"m3ua": sctp.PPIDM3UA, "m2pa": sctp.PPIDM2PA, "m2ua": sctp.PPIDM2UA, "sua": sctp.PPIDSUA,
	}
	number, name, _ := strings.Cut(v, "=")
	port, err := strconv.ParseUint(number, 10, 16)
	if err != nil || protocols[name] == 0 {
		return errors.New("want PORT=PROTOCOL, such as 12905=m3ua; protocols are m3ua, m2pa, m2ua and sua")
	}
	if o.decoder.Ports == nil {
		o.decoder.Ports = make(map[uint16]uint32)
	}
	o.decoder.Ports[uint16(port)] = protocols[name]
	return nil
}

// check is for what the flag package does not.
func (o *flowOptions) check(command string) error {
	switch {
	case o.table.AnswerTimeout <= 0 || o.table.Hold <= 0:
		return misuse(command, "times must be positive")
	case o.table.Max < 1 || o.table.Max > 1<<28:
		return misuse(command, "-max-dialogues must be between 1 and %d", 1<<28)
	}
	return nil
}

// flow is the way of packets through the rooms: source, decoder, dialogue
// table, writer.
type flow struct {
	options flowOptions
	decoder *sigtran.Decoder
	clock   clock.Clock
	odd     *pcap.Packet // held back, see packet
	table   *dialogue.Table
	out     *export.Writer
	latency export.Latencies
	summary export.Summary
	live    bool // the source may pause: write lines as they come
	began   bool
	files   []filePart
}

// filePart is where a file's frames begin.
type filePart struct {
	name   string
	before uint64 // frames before it
}

func newFlow(stdout io.Writer, o flowOptions) *flow {
	return &flow{
		options: o,
		decoder: sigtran.NewDecoder(o.decoder),
		table:   dialogue.NewTable(o.table),
		out:     export.NewWriter(stdout),
	}
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
	for n := uint64(0); (limit == 0 || n < limit) && ctx.Err() == nil; {
		p, err := src.Next()
		switch {
		case err == io.EOF:
			return nil
		case errors.Is(err, pcap.ErrIdle):
			if err := errors.Join(f.settle(), f.out.Flush()); err != nil {
				return writeError{err}
			}
			continue
		case err != nil:
			return err
		}
		n++
		if err := f.packet(p); err != nil {
			return writeError{err}
		}
	}
	return nil
}

// packet takes the next packet. One whose time is odd is held back until the next one
// tells what to think of it.
func (f *flow) packet(p pcap.Packet) error {
	var err error
	if odd := f.odd; odd != nil {
		f.odd = nil
		f.clock.Believe(odd.Time, p.Time)
		err = f.decode(*odd)
	}
	if f.clock.Odd(p.Time) {
		odd := p // p itself would go to the heap, each time
		odd.Data = bytes.Clone(p.Data)
		f.odd = &odd
		return err
	}
	return errors.Join(err, f.decode(p))
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
	err := f.records(f.table.Advance(now))
	messages := f.decoder.Decode(p.Link, p.Time, now, p.Data, p.Wire > len(p.Data))
	if len(messages) == 0 {
		return err
	}
	err = errors.Join(err, f.take(messages))
	if f.live {
		err = errors.Join(err, f.out.Flush())
	}
	return err
}

func (f *flow) take(messages []sigtran.Message) error {
	var err error
	for i := range messages {
		m := &messages[i]
		if !m.Returned() {
			f.summary.Messages.Count(m.TCAP.Kind)
		}
		if f.options.messages && f.options.filter.Message(m) {
			err = errors.Join(err, f.out.Message(m))
		}
		err = errors.Join(err, f.records(f.table.Observe(m)))
	}
	return err
}

func (f *flow) records(list []dialogue.Record) error {
	var err error
	for i := range list {
		if !f.options.filter.Dialogue(&list[i]) {
			continue
		}
		f.latency.Add(&list[i])
		err = errors.Join(err, f.out.Dialogue(&list[i]))
	}
	return err
}

// finish writes what is still open and the summaries.
func (f *flow) finish(stderr io.Writer) error {
	err := errors.Join(f.settle(), f.take(f.decoder.Close()), f.records(f.table.Close()))
	f.summary.Counters = f.decoder.Counters()
	f.summary.Dialogues = f.table.Counters()
	if err := errors.Join(err, f.out.Summary(&f.summary), f.out.Flush()); err != nil {
		return writeError{err}
	}
	f.summary.Prose(stderr)
	if f.options.histogram {
		fmt.Fprintln(stderr)
		f.latency.Table(stderr)
	}
	return nil
}
