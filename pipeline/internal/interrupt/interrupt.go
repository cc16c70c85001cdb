// Package interrupt ends a run when its user wants that.
//
// mage's generated main knows SIGINT alone, and a SIGTERM to mage kills mage but not
// the program that it started (measured with mage 1.17). So a run also ends at SIGTERM
// and SIGHUP, and when the process that started it is gone.
package interrupt

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// parentEvery is how often the parent process is looked for; asking costs a microsecond.
const parentEvery = 250 * time.Millisecond

// Context returns a context that ends at SIGINT, SIGTERM, SIGHUP or with the parent
// process, and a function that releases it.
func Context(parent context.Context) (context.Context, context.CancelFunc) {
	ctx, stop := signal.NotifyContext(parent, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	ctx, cancel := context.WithCancel(ctx)
	go watchParent(ctx, cancel, os.Getppid())
	return ctx, func() { cancel(); stop() }
}

func watchParent(ctx context.Context, cancel context.CancelFunc, first int) {
	ticker := time.NewTicker(parentEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			if os.Getppid() != first {
				cancel()
				return
			}
		}
	}
}
