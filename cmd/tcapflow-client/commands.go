package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/tcapflow/tcapflow/internal/pcap"
)

func (a *app) capture(args []string) error {
	f := flag.NewFlagSet("capture", flag.ContinueOnError)
	var o pcap.LiveOptions
	f.StringVar(&o.Interface, "i", "", "")
	f.StringVar(&o.Filter, "f", "sctp", "")
	f.IntVar(&o.SnapLen, "snaplen", 65535, "")
	f.BoolVar(&o.Promisc, "promisc", false, "")
	count := f.Uint64("count", 0, "")
	duration := f.Duration("duration", 0, "")
	timeout := f.Duration("timeout", time.Minute, "")
	if err := parse(f, args); err != nil {
		return err
	}
	switch {
	case f.NArg() > 0:
		return misuse("capture", "unexpected argument %q", f.Arg(0))
	case o.Interface == "":
		return misuse("capture", "say where with -i (`tcapflow-client interfaces` lists them)")
	case o.SnapLen < 1 || o.SnapLen > 262144: // libpcap's MAXIMUM_SNAPLEN
		return misuse("capture", "-snaplen must be between 1 and 262144")
	case *duration < 0 || *timeout <= 0:
		return misuse("capture", "times must be positive")
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	if *duration > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, *duration)
		defer cancel()
	}
	src, err := pcap.OpenLive(o)
	if err != nil {
		return captureError(o.Interface, err)
	}
	defer src.Close()
	fmt.Fprintf(a.stderr, "capturing on %s\n", o.Interface)

	flow := newFlow(a.stdout, *timeout)
	flow.live = true
	err = flow.drain(ctx, src, *count)
	if w := (writeError{}); errors.As(err, &w) {
		return err
	}
	if err != nil {
		err = fmt.Errorf("%s: %w", o.Interface, err)
	}
	flow.summary.KernelDrops, _ = src.Dropped() // not known on every kind of interface
	return errors.Join(err, flow.finish(a.stderr))
}

// captureError adds the next step.
func captureError(name string, err error) error {
	switch {
	case errors.Is(err, pcap.ErrPermission):
		return fmt.Errorf("%s: %w: capturing needs the CAP_NET_RAW capability: "+
			"run as root, or `sudo setcap cap_net_raw=p %s`; "+
			"in a container: `--cap-add NET_RAW`, and `--user 0` where that is not enough", name, err, executable())
	case errors.Is(err, pcap.ErrNoInterface):
		return fmt.Errorf("%s: %w: `tcapflow-client interfaces` lists them", name, err)
	case errors.Is(err, pcap.ErrNoLibpcap):
		return fmt.Errorf("%w: take a released one, or build with cgo and -tags libpcap", err)
	}
	return fmt.Errorf("%s: %w", name, err)
}

// executable is the path of this program, for setcap.
func executable() string {
	path, err := os.Executable()
	if err != nil {
		return "tcapflow-client"
	}
	return path
}

func (a *app) read(args []string) error {
	f := flag.NewFlagSet("read", flag.ContinueOnError)
	timeout := f.Duration("timeout", time.Minute, "")
	if err := parse(f, args); err != nil {
		return err
	}
	if f.NArg() == 0 {
		return misuse("read", "no file")
	}
	if *timeout <= 0 {
		return misuse("read", "times must be positive")
	}
	ctx := context.Background()
	flow := newFlow(a.stdout, *timeout)
	if slices.Contains(f.Args(), "-") {
		// Waiting for standard input cannot be interrupted: leave the signals
		// their default, and have every line written when one comes.
		flow.live = true
	} else {
		var stop context.CancelFunc
		ctx, stop = signal.NotifyContext(ctx, syscall.SIGINT, syscall.SIGTERM)
		defer stop()
		context.AfterFunc(ctx, stop)
	}
	var failed error
	for _, name := range f.Args() {
		err := a.readFile(ctx, flow, name)
		if w := (writeError{}); errors.As(err, &w) {
			return err
		}
		if err != nil {
			a.complain(fmt.Errorf("%s: %w", name, err))
			failed = errReported
		}
	}
	if failed != nil && flow.decoder.Counters().Packets == 0 {
		return failed // there is nothing to sum up
	}
	return errors.Join(failed, flow.finish(a.stderr))
}

func (a *app) readFile(ctx context.Context, flow *flow, name string) error {
	src, err := pcap.OpenFile(name, a.stdin)
	if err != nil {
		return err
	}
	defer src.Close()
	before := flow.decoder.Counters().Unsupported
	err = flow.drain(ctx, src, 0)
	if n := flow.decoder.Counters().Unsupported - before; err == nil && n > 0 {
		err = fmt.Errorf("%d packets have a link type that cannot be decoded", n)
	}
	return err
}

func (a *app) interfaces(args []string) error {
	f := flag.NewFlagSet("interfaces", flag.ContinueOnError)
	asJSON := f.Bool("json", false, "")
	if err := parse(f, args); err != nil {
		return err
	}
	if f.NArg() > 0 {
		return misuse("interfaces", "unexpected argument %q", f.Arg(0))
	}
	list, err := pcap.Interfaces()
	if err != nil {
		return captureError("interfaces", err)
	}
	if *asJSON {
		return json.NewEncoder(a.stdout).Encode(list)
	}
	for _, i := range list {
		line := []string{i.Name, "[" + strings.Join(i.Flags, " ") + "]"}
		for _, p := range i.Addresses {
			line = append(line, p.String())
		}
		if _, err := fmt.Fprintln(a.stdout, strings.Join(line, " ")); err != nil {
			return err
		}
	}
	return nil
}
