package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/coreos/go-systemd/v22/daemon"

	"github.com/tcapflow/tcapflow/internal/export"
	"github.com/tcapflow/tcapflow/internal/logs"
	"github.com/tcapflow/tcapflow/internal/serve"
)

// serviceOptions are the flags of "read" and "capture" for those who run them as a
// service.
type serviceOptions struct {
	logFormat            string
	instance             string
	metrics              string // address, or "" for none
	debug                bool
	output               string // file, or "" for standard output
	statsd, statsdPrefix string // address, or "" for none
	otlp                 string // URL of a collector, or ""
}

func (o *serviceOptions) flags(f *flag.FlagSet) {
	configFlag(f)
	f.StringVar(&o.logFormat, "log-format", "text", "")
	f.StringVar(&o.instance, "instance", "", "")
	f.StringVar(&o.metrics, "metrics", "", "")
	f.BoolVar(&o.debug, "debug", false, "")
	f.StringVar(&o.output, "output", "", "")
	f.StringVar(&o.otlp, "otlp", "", "")
	f.StringVar(&o.statsd, "statsd", "", "")
	f.StringVar(&o.statsdPrefix, "statsd-prefix", "tcapflow.", "")
}

func (o *serviceOptions) check(command string) error {
	switch {
	case o.logFormat != "" && !slices.Contains(logs.Formats, o.logFormat): // "top" has no such flag
		return misuse(command, "-log-format must be text or json")
	case o.debug && o.metrics == "":
		return misuse(command, "-debug wants -metrics, which says where")
	case strings.ContainsAny(o.statsdPrefix, ":|@#\n") || len(o.statsdPrefix) > 128:
		return misuse(command, "-statsd-prefix must have none of : | @ #, and at most 128 octets")
	}
	return nil
}

// setLog makes the logger that the options ask for.
func (a *app) setLog(o *serviceOptions) {
	a.log = logs.New(a.stderr, logs.Options{
		JSON: o.logFormat == "json", Service: program, Version: version,
		Instance: o.instanceName(),
	})
}

// instanceName tells this instance of the service from others.
func (o *serviceOptions) instanceName() string {
	host, _ := os.Hostname() // of a pod, its name
	return cmp.Or(o.instance, os.Getenv("POD_NAME"), host)
}

// program is the name that log lines have.
const program = "tcapflow-client"

// closers end what was started, the last one first.
type closers []func()

func (c closers) close() {
	for i := len(c) - 1; i >= 0; i-- {
		c[i]()
	}
}

// startService opens what surrounds a flow: the file that lines go to, and what its metrics
// go to. What it returns ends all that.
func (a *app) startService(f *flow) (stop func(), err error) {
	o := &f.options.service
	if o.logFormat == "json" {
		f.log = a.log
	}
	var started closers
	for _, start := range []func(*flow) (func(), error){a.startOutput, a.startServer, a.startStatsD, a.startOTLP, a.startWatchdog} {
		stop, err := start(f)
		if err != nil {
			started.close()
			return nil, err
		}
		started = append(started, stop)
	}
	return started.close, nil
}

// startOutput opens the file of -output.
func (a *app) startOutput(f *flow) (stop func(), err error) {
	if f.options.service.output == "" {
		return func() {}, nil
	}
	if err := f.openOutput(); err != nil {
		return nil, err
	}
	return closers{f.output.close, f.reopenOnHangup()}.close, nil
}

// startServer serves metrics, where that was asked for.
func (a *app) startServer(f *flow) (stop func(), err error) {
	o := &f.options.service
	if o.metrics == "" {
		return func() {}, nil
	}
	f.shared = true
	f.server, err = serve.Listen(serve.Options{
		Address: o.metrics, Debug: o.debug, Log: a.log,
		ContentType: export.MetricsFormat, Metrics: f.metrics,
	})
	if err != nil {
		return nil, fmt.Errorf("metrics: %w: -metrics takes HOST:PORT of this machine, port 0 for any", err)
	}
	a.log.Info(fmt.Sprintf("metrics on http://%s/metrics", f.server.Address()))
	return f.server.Close, nil
}

// ready tells those who watch that packets are taken from now on, and when that ends.
func (f *flow) ready(ctx context.Context) {
	if f.server != nil {
		f.server.Ready(true)
	}
	notify(daemon.SdNotifyReady)
	context.AfterFunc(ctx, func() {
		if f.server != nil {
			f.server.Ready(false)
		}
		notify(daemon.SdNotifyStopping)
	})
}

// notify tells the service manager, if there is one that wants to know: systemd with
// Type=notify, sd_notify(3). That it does not listen is no reason to stop.
func notify(state string) { _, _ = daemon.SdNotify(false, state) }

// startWatchdog has the flow tell the service manager that it goes on taking packets, twice
// as often as that wants to hear it (WatchdogSec=, systemd.service(5)). The flow itself
// does so, in attend: that some other goroutine lives says nothing.
func (a *app) startWatchdog(f *flow) (stop func(), err error) {
	interval, err := daemon.SdWatchdogEnabled(false)
	if err != nil {
		return nil, fmt.Errorf("WATCHDOG_USEC: %w", err)
	}
	if interval <= 0 {
		return func() {}, nil
	}
	return every(interval/2, func() {
		f.watchdog.Store(true)
		f.wake.Store(true)
	}), nil
}

// attend does between two packets what another goroutine asked for.
func (f *flow) attend() error {
	f.wake.Store(false)
	if f.watchdog.CompareAndSwap(true, false) {
		notify(daemon.SdNotifyWatchdog)
	}
	if f.hangup.CompareAndSwap(true, false) {
		return f.reopen()
	}
	return nil
}

// stoppedBy is the cause of a context that a signal ended.
type stoppedBy string

func (s stoppedBy) Error() string { return "stopped by " + string(s) }

// untilSignal returns a context that ends at SIGINT or SIGTERM: what is open is then
// finished and written. A second signal ends the program at once.
func untilSignal() (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(context.Background())
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	go func() {
		select {
		case s := <-signals:
			signal.Stop(signals)
			name := stoppedBy("SIGTERM")
			if s == syscall.SIGINT {
				name = "SIGINT"
			}
			cancel(name)
		case <-ctx.Done():
			signal.Stop(signals)
		}
	}()
	return ctx, func() { cancel(context.Canceled) }
}

// signalOf is the name of the signal that ended a context, or "".
func signalOf(ctx context.Context) string {
	var s stoppedBy
	if errors.As(context.Cause(ctx), &s) {
		return string(s)
	}
	return ""
}
