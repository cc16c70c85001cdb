package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/tcapflow/tcapflow/internal/pcap"
)

// captureOptions are the flags of "capture".
type captureOptions struct {
	flowOptions
	live     pcap.LiveOptions
	count    uint64
	duration time.Duration
	confine  confineOptions
}

func (o *captureOptions) flags(f *flag.FlagSet) {
	f.StringVar(&o.live.Interface, "i", "", "")
	f.StringVar(&o.live.Filter, "f", "sctp", "")
	f.IntVar(&o.live.SnapLen, "snaplen", 65535, "")
	f.BoolVar(&o.live.Promisc, "promisc", false, "")
	f.Uint64Var(&o.count, "count", 0, "")
	f.DurationVar(&o.duration, "duration", 0, "")
	o.confine.flags(f)
	o.flowOptions.flags(f)
}

func (a *app) capture(args []string) error {
	f := flag.NewFlagSet("capture", flag.ContinueOnError)
	var o captureOptions
	o.flags(f)
	if err := parse(f, args); err != nil {
		return err
	}
	if err := o.check("capture"); err != nil {
		return err
	}
	if err := o.confine.check(); err != nil {
		return err
	}
	a.setLog(&o.service)
	o.confine.configFile = configFileOf(f)
	if err := a.enter(&o); err != nil {
		return err
	}
	switch {
	case f.NArg() > 0:
		return misuse("capture", "unexpected argument %q", f.Arg(0))
	case o.live.Interface == "":
		return misuse("capture", "say where with -i (`tcapflow-client interfaces` lists them)")
	case o.live.SnapLen < 1 || o.live.SnapLen > 262144: // libpcap's MAXIMUM_SNAPLEN
		return misuse("capture", "-snaplen must be between 1 and 262144")
	case o.duration < 0:
		return misuse("capture", "times must be positive")
	}
	return a.captureFor(&o)
}

// captureFor captures until count packets (0: no limit) or duration (0: no limit).
func (a *app) captureFor(o *captureOptions) error {
	ctx, stop := untilSignal()
	defer stop()
	if o.duration > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, o.duration)
		defer cancel()
	}
	src, err := openLive(o.live)
	if err != nil {
		return err
	}
	defer src.Close()
	a.log.Info("capturing on " + o.live.Interface)

	flow := newFlow(a.stdout, o.flowOptions)
	flow.live = true
	if err := flow.createPackets(false); err != nil {
		return err
	}
	defer flow.discardPackets()
	stopHEP, err := flow.openHEP()
	if err != nil {
		return err
	}
	defer stopHEP()
	end, err := a.startService(flow)
	if err != nil {
		return err
	}
	defer end()
	if err := a.confine(o); err != nil {
		return err
	}
	flow.ready(ctx)
	err = errors.Join(flow.start(), flow.drain(ctx, src, o.count))
	if w := (writeError{}); errors.As(err, &w) {
		return err
	}
	if err != nil {
		err = fmt.Errorf("%s: %w", o.live.Interface, err)
	}
	flow.drops(src)
	flow.summary.Stopped = signalOf(ctx)
	return errors.Join(err, flow.finish(a.stderr))
}

// openLive starts a capture on one interface, or on several whose names are separated
// by commas.
func openLive(o pcap.LiveOptions) (pcap.Source, error) {
	var sources []pcap.Source
	for name := range strings.SplitSeq(o.Interface, ",") {
		one := o
		one.Interface = name
		src, err := pcap.OpenLive(one)
		if err != nil {
			for _, s := range sources {
				s.Close()
			}
			return nil, captureError(name, err)
		}
		sources = append(sources, src)
	}
	return pcap.Merge(sources...), nil
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

func (a *app) interfaces(args []string) error {
	f := flag.NewFlagSet("interfaces", flag.ContinueOnError)
	asJSON := jsonFlag(f)
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
