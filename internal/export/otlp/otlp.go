// Package otlp sends metrics to an OpenTelemetry collector by OTLP over HTTP, with
// OpenTelemetry's own SDK. It is in a package of its own since that is larger than the whole
// rest of the program.
package otlp

import (
	"context"
	"fmt"
	"math"
	"net/url"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	"go.opentelemetry.io/otel/sdk/instrumentation"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/resource"

	"github.com/tcapflow/tcapflow/internal/export"
)

// Options of Start.
type Options struct {
	URL      string        // of the collector: "http://127.0.0.1:4318"; /v1/metrics is added where there is no path
	Interval time.Duration // between two sendings
	Service  string
	Version  string
	Instance string
	Families func() []export.Family // called for each sending
}

// Start sends metrics until what it returns is called, which sends them once more and tells
// whether that arrived.
func Start(o Options) (stop func(context.Context) error, err error) {
	u, err := url.Parse(o.URL)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("%s: want a URL such as http://127.0.0.1:4318", o.URL)
	}
	if u.Path == "" || u.Path == "/" {
		u.Path = "/v1/metrics" // OTLP §"OTLP/HTTP Request"
	}
	exporter, err := otlpmetrichttp.New(context.Background(), otlpmetrichttp.WithEndpointURL(u.String()))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", o.URL, err)
	}
	reader := metric.NewPeriodicReader(exporter, metric.WithInterval(o.Interval),
		metric.WithProducer(&producer{start: time.Now(), families: o.Families}))
	about := resource.NewSchemaless(
		attribute.String("service.name", o.Service),
		attribute.String("service.version", o.Version),
		attribute.String("service.instance.id", o.Instance),
	)
	return metric.NewMeterProvider(metric.WithReader(reader), metric.WithResource(about)).Shutdown, nil
}

// producer hands the SDK what was counted elsewhere.
type producer struct {
	start    time.Time
	families func() []export.Family
}

// Produce implements the SDK's Producer.
func (p *producer) Produce(context.Context) ([]metricdata.ScopeMetrics, error) {
	now := time.Now()
	scope := metricdata.ScopeMetrics{Scope: instrumentation.Scope{Name: "tcapflow"}}
	for _, f := range p.families() {
		scope.Metrics = append(scope.Metrics, p.metric(&f, now))
	}
	return []metricdata.ScopeMetrics{scope}, nil
}

func (p *producer) metric(f *export.Family, now time.Time) metricdata.Metrics {
	m := metricdata.Metrics{Name: f.Name}
	switch f.Kind {
	case export.Histogram:
		m.Unit = "s"
		m.Data = metricdata.Histogram[float64]{
			Temporality: metricdata.CumulativeTemporality, DataPoints: p.histograms(f, now)}
	case export.Gauge:
		m.Data = metricdata.Gauge[int64]{DataPoints: p.numbers(f, now)}
	default:
		m.Data = metricdata.Sum[int64]{
			Temporality: metricdata.CumulativeTemporality, IsMonotonic: true, DataPoints: p.numbers(f, now)}
	}
	return m
}

func (p *producer) numbers(f *export.Family, now time.Time) (points []metricdata.DataPoint[int64]) {
	for i := range f.Points {
		points = append(points, metricdata.DataPoint[int64]{
			Attributes: attributes(f.Points[i].Labels), StartTime: p.start, Time: now,
			Value: int64(min(f.Points[i].Value, math.MaxInt64)),
		})
	}
	return points
}

func (p *producer) histograms(f *export.Family, now time.Time) (points []metricdata.HistogramDataPoint[float64]) {
	for i := range f.Points {
		d := &f.Points[i].Latency
		rest := d.Count // OTLP has the bucket above all bounds, too
		for _, n := range d.Buckets {
			rest -= n
		}
		points = append(points, metricdata.HistogramDataPoint[float64]{
			Attributes: attributes(f.Points[i].Labels), StartTime: p.start, Time: now,
			Count: d.Count, Sum: d.Sum, Bounds: d.Bounds, BucketCounts: append(d.Buckets, rest),
		})
	}
	return points
}

func attributes(labels []export.Label) attribute.Set {
	var list []attribute.KeyValue
	for _, l := range labels {
		list = append(list, attribute.String(l.Name, l.Value))
	}
	return attribute.NewSet(list...)
}
