package logs

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"testing"
)

const parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

func TestText(t *testing.T) {
	var b bytes.Buffer
	l := New(&b, Options{Service: "prog", Instance: "pod-1"})
	l.Info("capturing on lo")
	l.With("a", 1).WithGroup("g").Warn("odd", "b", "x")
	l.Debug("not told")
	l.InfoContext(WithTrace(context.Background(), parent), "traced")
	want := "capturing on lo\nprog: odd a=1 b=x\n" +
		"traced trace_id=0af7651916cd43dd8448eb211c80319c span_id=b7ad6b7169203331\n"
	if b.String() != want {
		t.Errorf("got %q, want %q", &b, want)
	}
}

func TestJSON(t *testing.T) {
	var b bytes.Buffer
	l := New(&b, Options{JSON: true, Service: "prog", Version: "1", Instance: "pod-1"})
	l.ErrorContext(WithTrace(context.Background(), parent), "lost", "peer", 7)
	var line map[string]any
	if err := json.Unmarshal(b.Bytes(), &line); err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]string{
		"level": "ERROR", "msg": "lost", "service": "prog", "version": "1", "instance": "pod-1", "peer": "7",
		"trace_id": "0af7651916cd43dd8448eb211c80319c", "span_id": "b7ad6b7169203331",
	} {
		if got := fmt.Sprint(line[key]); got != want {
			t.Errorf("%s is %s, want %s", key, got, want)
		}
	}
}

func TestTraceParent(t *testing.T) {
	for header, valid := range map[string]bool{
		parent:                      true,
		"01" + parent[2:]:           true,
		parent + "-more":            false,
		"cc" + parent[2:] + "-more": true,
		"ff" + parent[2:]:           false,
		parent[:len(parent)-3]:      false,
		"00-00000000000000000000000000000000-b7ad6b7169203331-01": false,
		"00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01": false,
		"00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01": false,
		"": false,
	} {
		_, ok := WithTrace(context.Background(), header).Value(traceKey{}).(Trace)
		if ok != valid {
			t.Errorf("%q: %v", header, ok)
		}
	}
}

func TestSampler(t *testing.T) {
	s := Sampler{Every: 1000}
	told := 0
	for range 2500 {
		if _, ok := s.Take("probe"); ok {
			told++
		}
	}
	if n, ok := s.Take("other"); told != 3 || n != 1 || !ok {
		t.Errorf("%d of 2500 were told; the first of another: %d, %v", told, n, ok)
	}
	for i := range 10 * maxKeys {
		s.Take(fmt.Sprint(i))
	}
	if len(s.counts) > maxKeys+1 {
		t.Errorf("%d keys are kept", len(s.counts))
	}
}
