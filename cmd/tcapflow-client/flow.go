package main

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/tcapflow/tcapflow/internal/dialogue"
	"github.com/tcapflow/tcapflow/internal/export"
	"github.com/tcapflow/tcapflow/internal/pcap"
	"github.com/tcapflow/tcapflow/internal/sigtran"
)

// flow is the way of packets through the rooms: source, decoder, dialogue
// table, writer.
type flow struct {
	decoder *sigtran.Decoder
	table   *dialogue.Table
	out     *export.Writer
	summary export.Summary
	live    bool // the source may pause: write lines as they come
}

func newFlow(stdout io.Writer, answerTimeout time.Duration) *flow {
	return &flow{
		decoder: sigtran.NewDecoder(),
		table:   dialogue.NewTable(dialogue.Options{AnswerTimeout: answerTimeout}),
		out:     export.NewWriter(stdout),
	}
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
			if err := f.out.Flush(); err != nil {
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

func (f *flow) packet(p pcap.Packet) error {
	err := f.records(f.table.Advance(p.Time))
	messages := f.decoder.Decode(p.Link, p.Time, p.Data)
	for _, m := range messages {
		f.summary.Messages.Count(m.TCAP.Kind)
		err = errors.Join(err, f.out.Message(m), f.records(f.table.Observe(m)))
	}
	if f.live && len(messages) > 0 {
		err = errors.Join(err, f.out.Flush())
	}
	return err
}

func (f *flow) records(list []dialogue.Record) error {
	var err error
	for _, r := range list {
		err = errors.Join(err, f.out.Dialogue(r))
	}
	return err
}

// finish writes the dialogues that are still open and the summaries.
func (f *flow) finish(stderr io.Writer) error {
	err := f.records(f.table.Close())
	f.summary.Counters = f.decoder.Counters()
	f.summary.Dialogues = f.table.Counters()
	if err := errors.Join(err, f.out.Summary(f.summary), f.out.Flush()); err != nil {
		return writeError{err}
	}
	f.summary.Prose(stderr)
	return nil
}
