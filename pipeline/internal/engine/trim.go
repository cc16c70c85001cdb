package engine

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/moby/moby/client"
)

// Trim removes what was not used for longest until what we hold is within limit bytes.
// What a container uses stays, and what was used on this day or the one before: another
// machine may be about to use it. What no mark names counts as used today, and gets a
// mark that says so.
func (e *Engine) Trim(ctx context.Context, limit int64) (freed []Holding, err error) {
	held, total, err := e.Holdings(ctx)
	if err != nil {
		return nil, err
	}
	today := time.Now().UTC().Truncate(24 * time.Hour)
	if err := e.markUnknown(ctx, held, today); err != nil {
		return nil, err
	}
	for _, h := range evictable(held, today) {
		if total <= limit {
			break
		}
		gone, err := e.Drop(ctx, h)
		if err != nil {
			return freed, err
		}
		if gone {
			total -= h.Size - h.shared
			freed = append(freed, h)
		}
	}
	return freed, e.forgetUseless(ctx, held, freed)
}

// markUnknown makes a mark of nobody for what no mark names: its time begins today.
func (e *Engine) markUnknown(ctx context.Context, held []Holding, today time.Time) error {
	var unknown []string
	for _, h := range held {
		if h.Used.IsZero() {
			unknown = append(unknown, h.id())
		}
	}
	if len(unknown) == 0 {
		return nil
	}
	m := e.newMark("", today, unknown)
	return e.makeVolume(ctx, m.name, e.markLabels(m))
}

// evictable are the holdings that may go, in the order in which they should.
func evictable(held []Holding, today time.Time) []Holding {
	old := slices.DeleteFunc(slices.Clone(held), func(h Holding) bool {
		return h.Used.IsZero() || !h.Used.Before(today.AddDate(0, 0, -1))
	})
	slices.SortStableFunc(old, func(a, b Holding) int {
		return cmp.Or(a.Used.Compare(b.Used), cmp.Compare(a.Name, b.Name))
	})
	return old
}

// forgetUseless removes old marks that name nothing that is still there.
func (e *Engine) forgetUseless(ctx context.Context, held, freed []Holding) error {
	there := map[string]bool{}
	for _, h := range held {
		there[h.id()] = true
	}
	for _, h := range freed {
		delete(there, h.id())
	}
	volumes, err := e.VolumeList(ctx, client.VolumeListOptions{Filters: e.owned()})
	if err != nil {
		return explain(err)
	}
	recent := time.Now().AddDate(0, 0, -2)
	return e.forget(ctx, volumes.Items, func(m mark) bool {
		return m.day.Before(recent) && !slices.ContainsFunc(m.uses, func(u string) bool { return there[u] })
	})
}
