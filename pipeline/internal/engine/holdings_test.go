package engine

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/moby/moby/api/types/image"
	"github.com/moby/moby/api/types/volume"

	"github.com/tcapflow/tcapflow/pipeline/internal/fault"
)

// podman431 answers as podman 4.3.1 did when it held a builder, another project's image
// and Go's caches. It takes several labels of one filter as "one of them", puts
// localhost/ before a tag, and /system/df has neither labels nor "sha256:".
var podman431 = map[string]string{
	"GET /_ping":  "OK",
	"HEAD /_ping": "",
	"GET /info":   `{"OSType":"linux","Architecture":"amd64","NCPU":2,"ServerVersion":"4.3.1","Plugins":{"Volume":["local"],"Network":["bridge","macvlan","ipvlan"]}}`,
	"GET /images/json": `[
		{"Id":"sha256:e04d","RepoTags":["localhost/tcapflow-builder:debian-5a05"],"Labels":{"musl-static.image":"builder","musl-static.builder":"debian","musl-static.builder.key.linux_amd64":"3f18","dev.tcapflow.owner":"tcapflow"}},
		{"Id":"sha256:aaaa","RepoTags":["<none>:<none>"],"Labels":{"musl-static.image":"builder","musl-static.builder":"debian","musl-static.builder.key.linux_amd64":"0000","dev.tcapflow.owner":"tcapflow"}}]`,
	"GET /images/tcapflow-builder:debian-5a05/json": `{"Id":"sha256:e04d"}`,
	"GET /volumes": `{"Volumes":[
		{"Name":"tcapflow-cache-linux_amd64-48dc","Labels":{"dev.tcapflow.owner":"tcapflow"}},
		{"Name":"tcapflow-mark-2026-11-25-3410","Labels":{"dev.tcapflow.checkout":"94980c63fa08adb3","dev.tcapflow.day":"2026-11-25","dev.tcapflow.owner":"tcapflow",
			"dev.tcapflow.uses":"sha256:e04d tcapflow-cache-linux_amd64-48dc"}}]}`,
	"GET /system/df": `{"LayersSize":414941814,"Images":[
		{"Id":"e04d","RepoTags":["debian-5a05"],"Size":414941814,"SharedSize":0,"Labels":{}},
		{"Id":"aaaa","RepoTags":[],"Size":1000,"SharedSize":0,"Labels":{}}],
		"Volumes":[{"Name":"tcapflow-cache-linux_amd64-48dc","UsageData":{"RefCount":0,"Size":63097265},"Labels":{}},
		{"Name":"tcapflow-mark-2026-11-25-3410","UsageData":{"RefCount":0,"Size":0},"Labels":{}}]}`,
}

// connected is an engine behind a loopback, for the checkout /a.
func connected(t *testing.T, l *loopback) *Engine {
	t.Helper()
	clearEnv(t)
	t.Setenv("DOCKER_HOST", l.plain())
	e, err := Connect(t.Context(), "/a", "tcapflow")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	return e
}

func TestImagesOfPodman(t *testing.T) {
	l := newLoopback(t, podman431)
	e := connected(t, l)
	images, err := e.Images(t.Context(), map[string]string{LabelImage: "builder", "musl-static.builder": "debian", "musl-static.builder.key.linux_amd64": "3f18"})
	if err != nil || len(images) != 1 || images[0].ID != "sha256:e04d" {
		t.Errorf("%+v, %v; want the one that has both labels", images, err)
	}
	for _, call := range l.called() {
		if strings.HasPrefix(call, "GET /images/json") && strings.Count(call, "musl-static") != 1 {
			t.Errorf("podman was asked for several labels: %s", call)
		}
	}
	if id, err := e.ImageID(t.Context(), "tcapflow-builder:debian-5a05"); err != nil || !SameImage(id, "e04d") {
		t.Errorf("the image is %s, %v", id, err)
	}
}

func TestHoldingsOfPodman(t *testing.T) {
	e := connected(t, newLoopback(t, podman431))
	e.checkout = "94980c63fa08adb3"
	held, total, err := e.Holdings(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, h := range held {
		got = append(got, fmt.Sprintf("%s %s %d %v %v %v", h.Kind, h.Name, h.Size, !h.Used.IsZero(), h.Mine, h.More))
	}
	want := []string{
		"image localhost/tcapflow-builder:debian-5a05 414941814 true true false",
		"image sha256:aaaa 1000 false false true",
		"volume tcapflow-cache-linux_amd64-48dc 63097265 true true false",
	}
	if !slices.Equal(got, want) || total != 414941814+1000+63097265 {
		t.Errorf("got %q, in all %d; want %q", got, total, want)
	}
}

// Nothing is forced, and what a container uses stays without an error.
func TestDrop(t *testing.T) {
	l := newLoopback(t, podman431, map[string]string{
		"DELETE /images/localhost/tcapflow-builder:debian-5a05": "409 image is in use by container 1",
		"DELETE /images/sha256:aaaa":                            "[]",
		"DELETE /volumes/tcapflow-cache-linux_amd64-48dc":       "409 volume is being used by the following container(s): 1",
	})
	e := connected(t, l)
	held, _, err := e.Holdings(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var gone []bool
	for _, h := range held {
		g, err := e.Drop(t.Context(), h)
		if err != nil {
			t.Error(err)
		}
		gone = append(gone, g)
	}
	if !slices.Equal(gone, []bool{false, true, false}) {
		t.Errorf("gone: %v", gone)
	}
	for _, call := range l.called() {
		if strings.Contains(call, "force=1") || strings.Contains(call, "force=true") {
			t.Errorf("forced: %s", call)
		}
	}
}

func TestDropFails(t *testing.T) {
	e := fake(t, func(w http.ResponseWriter, r *http.Request) {
		http.Error(w, `{"message":"input/output error"}`, http.StatusInternalServerError)
	})
	for _, h := range []Holding{{Kind: "volume", Name: "v"}, {Kind: "image", image: image.Summary{ID: "sha256:1"}}} {
		var got *fault.Error
		if gone, err := e.Drop(t.Context(), h); gone || !errors.As(err, &got) || got.Code != fault.Engine {
			t.Errorf("%s: gone is %v, error %v", h.Kind, gone, err)
		}
	}
}

// A mark is read as it was written, and covers what it says again.
func TestMark(t *testing.T) {
	day := time.Date(2026, 11, 25, 23, 59, 0, 0, time.UTC)
	e := &Engine{namespace: "tcapflow"}
	m := e.newMark("a", day, []string{"v2", "v1", "v2"})
	if back, ok := e.readMark(volume.Volume{Name: m.name, Labels: e.markLabels(m)}); !ok || back.name != m.name || back.checkout != "a" || !slices.Equal(back.uses, []string{"v1", "v2"}) || back.day.Day() != 25 {
		t.Errorf("%+v came back as %+v", m, back)
	}
	if again := e.newMark("a", day.Add(-12*time.Hour), []string{"v1", "v2"}); again.name != m.name {
		t.Error("the same use on the same day has two names")
	}
	for _, test := range []struct {
		name   string
		old    mark
		covers bool
	}{
		{"itself", m, false},
		{"part", e.newMark("a", day.AddDate(0, 0, -3), []string{"v1"}), true},
		{"more", e.newMark("a", day.AddDate(0, 0, -3), []string{"v1", "v3"}), false},
		{"another checkout", e.newMark("b", day.AddDate(0, 0, -3), []string{"v1"}), false},
		{"a newer one", e.newMark("a", day.AddDate(0, 0, 1), []string{"v1"}), false},
	} {
		if m.covers(test.old) != test.covers {
			t.Errorf("%s: covers is %v", test.name, !test.covers)
		}
	}
	for _, v := range []string{"tcapflow-cache-x-1", "tcapflow-mark-", "other"} {
		if _, ok := e.readMark(volume.Volume{Name: v}); ok {
			t.Errorf("%s is taken for a mark", v)
		}
	}
}

func TestEvictable(t *testing.T) {
	today := time.Date(2026, 11, 25, 0, 0, 0, 0, time.UTC)
	held := []Holding{
		{Name: "today", Used: today}, {Name: "yesterday", Used: today.AddDate(0, 0, -1)}, {Name: "unknown"},
		{Name: "two days", Used: today.AddDate(0, 0, -2)}, {Name: "a month", Used: today.AddDate(0, -1, 0)}, {Name: "tomorrow", Used: today.AddDate(0, 0, 1)},
	}
	var got []string
	for _, h := range evictable(held, today) {
		got = append(got, h.Name)
	}
	if !slices.Equal(got, []string{"a month", "two days"}) {
		t.Errorf("may go: %q", got)
	}
}
