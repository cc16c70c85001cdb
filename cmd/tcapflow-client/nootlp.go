//go:build !otlp

package main

import "errors"

// hasOTLP tells the two kinds of builds apart.
const hasOTLP = false

// startOTLP refuses: OpenTelemetry's SDK would make this binary twice as large.
func (a *app) startOTLP(f *flow) (stop func(), err error) {
	if f.options.service.otlp == "" {
		return func() {}, nil
	}
	return nil, errors.New("otlp: this binary was built without it: build with -tags otlp, " +
		"or have the collector read -metrics (its receiver \"prometheus\") or take -statsd (\"statsd\")")
}
