package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os/signal"
	"syscall"
	"time"

	"github.com/tcapflow/tcapflow/internal/pcap"
)

// replayOptions are the flags of "replay".
type replayOptions struct {
	device string
	speed  float64
	loop   int
}

func (o *replayOptions) flags(f *flag.FlagSet) {
	f.StringVar(&o.device, "i", "", "")
	f.Float64Var(&o.speed, "speed", 1, "")
	f.IntVar(&o.loop, "loop", 1, "")
}

func (a *app) replay(args []string) error {
	f := flag.NewFlagSet("replay", flag.ContinueOnError)
	var o replayOptions
	o.flags(f)
	if err := parse(f, args); err != nil {
		return err
	}
	switch {
	case o.device == "":
		return misuse("replay", "say where with -i, such as -i lo")
	case f.NArg() == 0:
		return misuse("replay", "say which capture file")
	case o.speed < 0:
		return misuse("replay", "-speed must not be negative")
	case o.loop < 0:
		return misuse("replay", "-loop must not be negative")
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	names, err := expand(f.Args())
	if err != nil {
		return err
	}
	sender, err := pcap.OpenSender(o.device)
	if err != nil {
		return sendError(o.device, err)
	}
	defer sender.Close()
	r := &replayer{app: a, o: o, sender: sender}
	begun := time.Now()
	err = r.files(ctx, names)
	took := time.Since(begun)
	fmt.Fprintf(a.stderr, "sent %d frames, %d octets, in %v on %s; %d cannot be sent on it\n",
		r.frames, r.octets, took.Round(time.Millisecond), o.device, r.skipped)
	return err
}

// sendError adds the next step.
func sendError(device string, err error) error {
	switch {
	case errors.Is(err, pcap.ErrPermission):
		return fmt.Errorf("%s: %w: sending needs the CAP_NET_RAW capability, as capturing does: "+
			"run as root, or see `tcapflow-client help capture`", device, err)
	case errors.Is(err, pcap.ErrNoInterface):
		return fmt.Errorf("%s: %w: `ip link` lists them", device, err)
	}
	return fmt.Errorf("%s: %w", device, err)
}

// replayer sends the packets of files, and counts.
type replayer struct {
	*app
	o                       replayOptions
	sender                  *pcap.Sender
	buffer                  []byte
	frames, octets, skipped uint64
}

// files sends all files as often as -loop says; 0 is for ever.
func (r *replayer) files(ctx context.Context, names []string) error {
	for round := 0; r.o.loop == 0 || round < r.o.loop; round++ {
		pace := pace{speed: r.o.speed}
		for _, name := range names {
			if err := r.file(ctx, name, &pace); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
		if ctx.Err() != nil {
			return nil // what was sent is told
		}
	}
	return nil
}

func (r *replayer) file(ctx context.Context, name string, pace *pace) error {
	src, err := pcap.OpenFile(name, r.stdin)
	if err != nil {
		return err
	}
	defer src.Close()
	for {
		p, err := src.Next()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		case !pace.wait(ctx, p.Time):
			return nil
		}
		if err := r.send(p); err != nil {
			return err
		}
	}
}

func (r *replayer) send(p pcap.Packet) error {
	frame, ok := pcap.Frame(p, r.buffer)
	if !ok {
		r.skipped++
		return nil
	}
	err := r.sender.Send(frame)
	if errors.Is(err, syscall.EMSGSIZE) {
		r.skipped++
		return nil
	}
	if err != nil {
		return err
	}
	r.frames++
	r.octets += uint64(len(frame))
	return nil
}

// pace keeps the gaps between packets, divided by speed; at speed 0 there are none.
type pace struct {
	speed float64
	first int64 // nanoseconds since 1970
	begun time.Time
}

// wait returns true when the packet of this time is due, false when ctx is done before.
func (p *pace) wait(ctx context.Context, at int64) bool {
	if p.begun.IsZero() {
		p.begun, p.first = time.Now(), at
	}
	if p.speed == 0 {
		return ctx.Err() == nil
	}
	due := p.begun.Add(time.Duration(float64(at-p.first) / p.speed))
	timer := time.NewTimer(time.Until(due))
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
