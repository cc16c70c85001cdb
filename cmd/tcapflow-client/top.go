package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/tcapflow/tcapflow/internal/export"
	"github.com/tcapflow/tcapflow/internal/pcap"
)

// topOptions are the flags of "top".
type topOptions struct {
	flowOptions
	live     pcap.LiveOptions
	follow   bool
	interval time.Duration
	window   time.Duration
}

func (o *topOptions) flags(f *flag.FlagSet) {
	f.StringVar(&o.live.Interface, "i", "", "")
	f.StringVar(&o.live.Filter, "f", "sctp", "")
	f.IntVar(&o.live.SnapLen, "snaplen", 65535, "")
	f.BoolVar(&o.follow, "follow", false, "")
	f.DurationVar(&o.interval, "interval", 2*time.Second, "")
	f.DurationVar(&o.window, "window", 10*time.Second, "")
	o.tableFlags(f)
	o.decoderFlags(f)
	o.filterFlags(f)
}

func (a *app) top(args []string) error {
	f := flag.NewFlagSet("top", flag.ContinueOnError)
	var o topOptions
	o.flags(f)
	if err := parse(f, args); err != nil {
		return err
	}
	live := o.live.Interface != ""
	switch {
	case live == (f.NArg() > 0):
		return misuse("top", "want either an interface with -i, or files")
	case o.follow && (live || f.NArg() > 1 || f.Arg(0) == "-"):
		return misuse("top", "-follow wants one file or directory")
	case o.interval < 100*time.Millisecond || o.window < o.interval:
		return misuse("top", "-interval must be 100ms or more, and -window no less")
	case o.live.SnapLen < 1 || o.live.SnapLen > 262144: // libpcap's MAXIMUM_SNAPLEN
		return misuse("top", "-snaplen must be between 1 and 262144")
	}
	if err := o.check("top"); err != nil {
		return err
	}
	return a.show(&o, f.Args())
}

// source is where "top" takes packets from, until it ends or ctx is done.
type source struct {
	title  string
	passes bool // time passes: the traffic is of now
	read   func(ctx context.Context, a *app, f *flow) error
	close  func()
}

// openTop opens what can fail before there is a screen.
func openTop(o *topOptions, names []string) (source, error) {
	if o.live.Interface != "" {
		src, err := openLive(o.live)
		if err != nil {
			return source{}, err
		}
		read := func(ctx context.Context, _ *app, f *flow) error {
			defer f.drops(src)
			return f.drain(ctx, src, 0)
		}
		return source{o.live.Interface, true, read, func() { src.Close() }}, nil
	}
	title := strings.Join(names, " ")
	if o.follow {
		w, err := newFollower(names[0])
		return source{title, true, func(ctx context.Context, a *app, f *flow) error {
			failed, err := a.follow(ctx, f, w)
			return errors.Join(failed, err)
		}, func() {}}, err
	}
	files, err := expand(names)
	return source{title, slices.Contains(names, "-"), func(ctx context.Context, a *app, f *flow) error {
		failed, err := a.readFiles(ctx, f, files)
		return errors.Join(failed, err)
	}, func() {}}, err
}

// show reads, and paints meanwhile. What is said about files waits until the screen is
// the user's again.
func (a *app) show(o *topOptions, names []string) error {
	src, err := openTop(o, names)
	if err != nil {
		return err
	}
	defer src.close()
	o.messages = false
	flow := newFlow(io.Discard, o.flowOptions)
	flow.live, flow.shared = src.passes, true
	flow.top = &export.Top{Title: src.title}
	if src.passes {
		flow.top.Span = o.window
		flow.top.Begin(time.Now().UnixNano())
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	ctx, quit := context.WithCancel(ctx)
	defer quit()

	view := newView(a.stdin, a.stdout, quit)
	flow.top.Colour = view.colour
	var said bytes.Buffer
	reader := *a
	reader.stderr = &said
	painted := make(chan error, 1)
	painting, done := context.WithCancel(context.Background())
	go func() { painted <- view.paint(painting, flow, o.interval, quit) }()
	err = src.read(ctx, &reader, flow)
	done()
	err = errors.Join(err, <-painted)
	a.stderr.Write(said.Bytes())
	return err
}

// frame is what is shown now, of a screen that is so wide and so high. All numbers are of
// the time between two packets.
func (f *flow) frame(width, height int) []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := f.clock.Now()
	if f.live {
		now = time.Now().UnixNano()
	}
	return f.top.Draw(now, export.Totals{
		Packets:  f.decoder.Packets(),
		Messages: f.summary.Messages.Total,
		Dropped:  f.summary.KernelDrops,
		Open:     f.table.Len(),
	}, width, height)
}

// writeFrame writes a frame as text: for a file, a pipe, or the user's own screen at the
// end.
func writeFrame(w io.Writer, lines []string) error {
	_, err := fmt.Fprintf(w, "%s\n\n", strings.Join(lines, "\n"))
	return err
}

// hasColour follows https://no-color.org.
func hasColour() bool { return os.Getenv("NO_COLOR") == "" }
