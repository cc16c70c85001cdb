//go:build otlp

package main

import (
	"context"
	"time"

	"github.com/tcapflow/tcapflow/internal/export"
	"github.com/tcapflow/tcapflow/internal/export/otlp"
)

// hasOTLP tells the two kinds of builds apart.
const hasOTLP = true

// otlpEvery is how often metrics go to the collector.
const otlpEvery = 10 * time.Second

// startOTLP sends metrics to an OpenTelemetry collector, where that was asked for.
func (a *app) startOTLP(f *flow) (stop func(), err error) {
	o := &f.options.service
	if o.otlp == "" {
		return func() {}, nil
	}
	f.shared = true
	end, err := otlp.Start(otlp.Options{
		URL: o.otlp, Interval: otlpEvery, Service: program, Version: version, Instance: o.instanceName(),
		Families: func() []export.Family {
			f.mu.Lock()
			defer f.mu.Unlock()
			s := f.totals()
			return export.Families(&s, &f.latency, f.table.Len())
		},
	})
	if err != nil {
		return nil, err
	}
	return func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if err := end(ctx); err != nil {
			a.log.Warn("otlp: " + err.Error())
		}
	}, nil
}
