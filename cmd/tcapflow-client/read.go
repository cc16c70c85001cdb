package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os/signal"
	"slices"
	"syscall"

	"github.com/tcapflow/tcapflow/internal/pcap"
)

// errInterrupted ends a reading that a signal cut short: what was read is written.
var errInterrupted = errors.New("interrupted: not all was read")

// readOptions are the flags of "read".
type readOptions struct{ flowOptions }

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
	if f.NArg() == 0 {
		return misuse("read", "no file")
	}
	names, err := expand(f.Args())
	if err != nil {
		return err
	}
	return a.readAll(newFlow(a.stdout, options.flowOptions), names)
}

func (a *app) readAll(flow *flow, names []string) error {
	if err := flow.createPackets(true, names...); err != nil {
		return err
	}
	defer flow.discardPackets()
	ctx := context.Background()
	if slices.Contains(names, "-") {
		// Waiting for standard input cannot be interrupted: leave the signals
		// their default, and have every line written when one comes.
		flow.live = true
	} else {
		var stop context.CancelFunc
		ctx, stop = signal.NotifyContext(ctx, syscall.SIGINT, syscall.SIGTERM)
		defer stop()
		context.AfterFunc(ctx, stop)
	}
	if len(names) > 1 {
		flow.out.Places(flow.place)
	}
	if flow.options.metrics != "" {
		stop, err := flow.serveMetrics(flow.options.metrics, a.stderr)
		if err != nil {
			return err
		}
		defer stop()
	}
	failed, err := a.readFiles(ctx, flow, names)
	if err != nil {
		return err
	}
	if failed != nil && flow.decoder.Counters().Packets == 0 {
		return failed // there is nothing to sum up
	}
	if ctx.Err() != nil {
		flow.summary.Interrupted = true
		failed = errors.Join(failed, errInterrupted)
	}
	return errors.Join(failed, flow.finish(a.stderr))
}

// readFiles reads one after the other. An error of one of them is written when it
// happens, and failed then; err is one of the output.
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
	defer src.Close()
	if err := flow.start(); err != nil {
		return err
	}
	before := flow.decoder.Counters()
	flow.files = append(flow.files, filePart{name, before.Packets})
	err = flow.drain(ctx, src, 0)
	if n := flow.decoder.Counters().Frames.Unsupported - before.Frames.Unsupported; err == nil && n > 0 {
		err = fmt.Errorf("%d packets have a link type that cannot be decoded", n)
	}
	return err
}
