package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"slices"

	"github.com/tcapflow/tcapflow/internal/pcap"
)

// errInterrupted ends a reading that a signal cut short: what was read is written.
var errInterrupted = errors.New("interrupted: not all was read")

// readOptions are the flags of "read".
type readOptions struct {
	flowOptions
	follow bool
}

func (o *readOptions) flags(f *flag.FlagSet) {
	f.BoolVar(&o.follow, "follow", false, "")
	o.flowOptions.flags(f)
}

func (a *app) read(args []string) error {
	f := flag.NewFlagSet("read", flag.ContinueOnError)
	var options readOptions
	options.flags(f)
	if err := parse(f, args); err != nil {
		return err
	}
	if err := options.check("read"); err != nil {
		return err
	}
	a.setLog(&options.service)
	if f.NArg() == 0 {
		return misuse("read", "no file")
	}
	flow := newFlow(a.stdout, options.flowOptions)
	if options.follow {
		return a.readFollowing(flow, f.Args())
	}
	names, err := expand(f.Args())
	if err != nil {
		return err
	}
	if len(names) > 1 {
		flow.out.Places(flow.place)
	}
	return a.readAll(flow, names, func(ctx context.Context) (failed, err error) {
		if failed, err = a.readFiles(ctx, flow, names); ctx.Err() != nil {
			flow.summary.Interrupted = true
			failed = errors.Join(failed, errInterrupted)
		}
		return failed, err
	})
}

// readFollowing reads what is being written. That a signal ends it is no error.
func (a *app) readFollowing(flow *flow, names []string) error {
	if len(names) > 1 || names[0] == "-" {
		return misuse("read", "-follow wants one file or directory")
	}
	w, err := newFollower(names[0])
	if err != nil {
		return err
	}
	flow.live = true
	if w.dir {
		flow.out.Places(flow.place)
	}
	return a.readAll(flow, names, func(ctx context.Context) (failed, err error) {
		return a.follow(ctx, flow, w)
	})
}

// readAll reads files until they or a signal ends, and sums up. An error of one of them
// was written when it happened, and is failed then; err is one of the output.
func (a *app) readAll(flow *flow, names []string, read func(context.Context) (failed, err error)) error {
	if err := flow.createPackets(true, names...); err != nil {
		return err
	}
	defer flow.discardPackets()
	stopHEP, err := flow.openHEP()
	if err != nil {
		return err
	}
	defer stopHEP()
	ctx := context.Background()
	if slices.Contains(names, "-") {
		// Waiting for standard input cannot be interrupted: leave the signals
		// their default, and have every line written when one comes.
		flow.live = true
	} else {
		var stop context.CancelFunc
		ctx, stop = untilSignal()
		defer stop()
	}
	end, err := a.startService(flow)
	if err != nil {
		return err
	}
	defer end()
	flow.ready(ctx)
	failed, err := read(ctx)
	if err != nil {
		return err
	}
	if !flow.summary.Interrupted {
		flow.summary.Stopped = signalOf(ctx)
	}
	if failed != nil && flow.decoder.Counters().Packets == 0 {
		return failed // there is nothing to sum up
	}
	if err := flow.start(); err != nil {
		return err
	}
	return errors.Join(failed, flow.finish(a.stderr))
}

// readFiles reads one after the other; failed and err are those of readAll.
func (a *app) readFiles(ctx context.Context, flow *flow, names []string) (failed, err error) {
	for _, name := range names {
		if ctx.Err() != nil {
			break
		}
		err := a.readFile(ctx, flow, name)
		if w := (writeError{}); errors.As(err, &w) {
			return nil, err
		}
		if err != nil {
			a.complain(fmt.Errorf("%s: %w", name, err))
			failed = errReported
		}
	}
	return failed, nil
}

func (a *app) readFile(ctx context.Context, flow *flow, name string) error {
	src, err := pcap.OpenFile(name, a.stdin)
	if err != nil {
		return err
	}
	return flow.readSource(ctx, src, name)
}

// readSource reads a file to its end, and closes it.
func (f *flow) readSource(ctx context.Context, src pcap.Source, name string) error {
	defer src.Close()
	if err := f.start(); err != nil {
		return err
	}
	before := f.decoder.Counters()
	f.files = append(f.files, filePart{name, before.Packets})
	err := f.drain(ctx, src, 0)
	if n := f.decoder.Counters().Frames.Unsupported - before.Frames.Unsupported; err == nil && n > 0 {
		err = fmt.Errorf("%d packets have a link type that cannot be decoded", n)
	}
	return err
}
