package engine

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/moby/moby/api/types/volume"
	"github.com/moby/moby/client"

	"github.com/tcapflow/tcapflow/pipeline/internal/key"
)

// A mark is an empty volume that says what a checkout used on a day. Labels of images and
// volumes cannot be changed, and a file on the host would not be seen by another user or
// machine; the engine is what all who share it have in common.
type mark struct {
	name     string // NAMESPACE-mark-, the day, and a digest of the rest
	checkout string // empty: found, and nobody's
	day      time.Time
	uses     []string // image IDs and names of volumes, sorted
}

// marking is what this connection has used so far.
type marking struct {
	sync.Mutex
	uses []string
	made []string // volumes that were not there
}

// markName begins the names of this project's marks.
func (e *Engine) markName() string { return e.Volume("mark-") }

func (e *Engine) readMark(v volume.Volume) (m mark, ok bool) {
	if !strings.HasPrefix(v.Name, e.markName()) {
		return mark{}, false
	}
	day, err := time.Parse(time.DateOnly, v.Labels[e.namespace.Label("day")])
	uses := strings.Fields(v.Labels[e.namespace.Label("uses")])
	return mark{v.Name, v.Labels[e.namespace.Label("checkout")], day, uses}, err == nil
}

// OfOthers names the image IDs and volumes that other checkouts of this project used on this
// day or the one before, and may be about to use again.
func (e *Engine) OfOthers(ctx context.Context) (map[string]bool, error) {
	list, err := e.VolumeList(ctx, client.VolumeListOptions{Filters: e.owned()})
	if err != nil {
		return nil, explain(err)
	}
	used := map[string]bool{}
	yesterday := time.Now().UTC().Truncate(24*time.Hour).AddDate(0, 0, -1)
	for _, v := range list.Items {
		m, ok := e.readMark(v)
		if !ok || m.checkout == e.checkout || m.checkout == "" || m.day.Before(yesterday) {
			continue
		}
		for _, use := range m.uses {
			used[use] = true
		}
	}
	return used, nil
}

func (e *Engine) newMark(checkout string, day time.Time, uses []string) mark {
	uses = slices.Compact(slices.Sorted(slices.Values(uses)))
	name := e.markName() + day.UTC().Format(time.DateOnly) + "-" + key.Of(append([]string{checkout}, uses...)...)
	return mark{name, checkout, day, uses}
}

func (e *Engine) markLabels(m mark) map[string]string {
	return e.labels(map[string]string{
		e.namespace.Label("checkout"): m.checkout,
		e.namespace.Label("day"):      m.day.UTC().Format(time.DateOnly),
		e.namespace.Label("uses"):     strings.Join(m.uses, " "),
	})
}

// covers tells that m says all that old said of the same checkout.
func (m mark) covers(old mark) bool {
	return m.checkout == old.checkout && m.name != old.name && !m.day.Before(old.day) &&
		!slices.ContainsFunc(old.uses, func(u string) bool { return !slices.Contains(m.uses, u) })
}

// Use makes the named volumes where they are not there, and marks them and the images,
// by name or ID, as used by this checkout today. It goes before the use, so that nobody
// else evicts them meanwhile.
func (e *Engine) Use(ctx context.Context, images, volumes []string) error {
	e.marking.Lock()
	defer e.marking.Unlock()
	list, err := e.VolumeList(ctx, client.VolumeListOptions{Filters: e.owned()})
	if err != nil {
		return explain(err)
	}
	for _, name := range volumes {
		if !slices.ContainsFunc(list.Items, func(v volume.Volume) bool { return v.Name == name }) {
			e.marking.made = append(e.marking.made, name)
			if err := e.makeVolume(ctx, name, e.labels(nil)); err != nil {
				return err
			}
		}
	}
	e.marking.uses = append(e.marking.uses, volumes...)
	for _, name := range images {
		id, err := e.ImageID(ctx, name)
		if err != nil {
			return err
		}
		e.marking.uses = append(e.marking.uses, id)
	}
	return e.write(ctx, e.newMark(e.checkout, time.Now(), e.marking.uses), list.Items)
}

// write makes a mark if it is not among the volumes, and removes those that it covers.
func (e *Engine) write(ctx context.Context, m mark, volumes []volume.Volume) error {
	if slices.ContainsFunc(volumes, func(v volume.Volume) bool { return v.Name == m.name }) {
		return nil
	}
	if err := e.makeVolume(ctx, m.name, e.markLabels(m)); err != nil {
		return err
	}
	return e.forget(ctx, volumes, m.covers)
}

// Made tells whether Use had to make a volume: then the engine holds more than before.
func (e *Engine) Made() bool {
	e.marking.Lock()
	defer e.marking.Unlock()
	return len(e.marking.made) > 0
}

// IsNew tells whether Use had to make this volume.
func (e *Engine) IsNew(volume string) bool {
	e.marking.Lock()
	defer e.marking.Unlock()
	return slices.Contains(e.marking.made, volume)
}

func (e *Engine) makeVolume(ctx context.Context, name string, labels map[string]string) error {
	_, err := e.VolumeCreate(ctx, client.VolumeCreateOptions{Name: name, Labels: labels})
	if err != nil {
		return explain(fmt.Errorf("volume %s: %w", name, err))
	}
	return nil
}

// forget removes marks.
func (e *Engine) forget(ctx context.Context, volumes []volume.Volume, stale func(mark) bool) error {
	for _, v := range volumes {
		if m, ok := e.readMark(v); ok && stale(m) {
			if _, err := e.removeVolume(ctx, v.Name); err != nil {
				return err
			}
		}
	}
	return nil
}
