package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/moby/moby/client"
)

const (
	watchEvery  = 5 * time.Second  // between two pings
	watchWithin = 10 * time.Second // a ping takes a millisecond; an engine on a busy machine gets time
)

// errLost is the cause of a context that ends because the engine no longer answers.
var errLost = errors.New("no sign of life")

// Watch returns a context for work with the engine. It ends when the engine no longer
// answers a ping: a frozen one would keep a call waiting for ever. end stops the watch
// and turns the work's error into the engine's loss where that was the cause.
func (e *Engine) Watch(ctx context.Context) (watched context.Context, end func(error) error) {
	watched, cancel := context.WithCancelCause(ctx)
	go func() {
		ticker := time.NewTicker(watchEvery)
		defer ticker.Stop()
		for {
			select {
			case <-watched.Done():
				return
			case <-ticker.C:
				if err := e.alive(watched); err != nil {
					cancel(err)
					return
				}
			}
		}
	}()
	return watched, func(err error) error {
		if cause := context.Cause(watched); err != nil && errors.Is(cause, errLost) {
			err = cause
		}
		cancel(nil)
		return err
	}
}

func (e *Engine) alive(ctx context.Context) error {
	ping, cancel := context.WithTimeoutCause(ctx, watchWithin, fmt.Errorf("no answer within %s", watchWithin))
	defer cancel()
	_, err := e.Ping(ping, client.PingOptions{})
	if err == nil || ctx.Err() != nil {
		return nil
	}
	if cause := context.Cause(ping); cause != nil {
		err = cause
	}
	return explain(fmt.Errorf("%w: %w", errLost, err))
}
