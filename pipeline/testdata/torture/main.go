// Torture does what breaks where a static program is laid out wrongly: threads of C that
// call into Go, Go that calls C on many threads, thread-local variables of odd sizes
// beside Go's own, signals, deep recursion in C, both resolvers, and time. It prints "ok",
// or what went wrong, and exits with 1.
package main

/*
#include <stdlib.h>
#include "threads.h"
*/
import "C"

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"sync"
	"syscall"
	"time"
)

const (
	threads = 8
	calls   = 20
	deep    = 600 << 10 // bytes of a C stack
)

func main() {
	for _, test := range []struct {
		name string
		run  func() error
	}{
		{"C threads that call Go", cThreads}, {"Go threads that call C", goThreads}, {"faults", faults},
		{"resolvers", resolvers}, {"time", clocks},
	} {
		if err := test.run(); err != nil {
			fmt.Println(test.name+":", err)
			os.Exit(1)
		}
	}
	fmt.Println("ok")
}

// goCallback runs Go code on whatever thread calls it: with a stack that grows, garbage,
// and a switch of goroutines.
//
//export goCallback
func goCallback(n C.int) C.int {
	if grow(64) != 64 {
		return -1
	}
	done := make(chan C.int)
	go func() { done <- n + 1 }()
	return <-done
}

func grow(n int) int {
	var frame [512]byte
	frame[n%len(frame)] = 1
	if n == 0 {
		return int(frame[0]) - 1
	}
	return grow(n-1) + int(frame[n%len(frame)])
}

// cThreads: each of the threads sends itself a signal, and Go hears of it.
func cThreads() error {
	heard := make(chan os.Signal, threads)
	signal.Notify(heard, syscall.SIGUSR1)
	defer signal.Stop(heard)
	if bad := C.run_threads(threads, calls); bad != 0 {
		return fmt.Errorf("%d values are wrong", bad)
	}
	select {
	case <-heard:
		return nil
	case <-time.After(10 * time.Second):
		return errors.New("no signal came")
	}
}

func goThreads() error {
	var group sync.WaitGroup
	wrong := make(chan string, 2*threads)
	for i := range threads {
		group.Go(func() {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			if bad := C.check_thread(C.uint(i), calls); bad != 0 {
				wrong <- fmt.Sprintf("%d bytes of thread-local variables are wrong", bad)
			}
			if C.recurse(deep) == 0 {
				wrong <- "recursion"
			}
			runtime.GC()
		})
	}
	group.Wait()
	select {
	case text := <-wrong:
		return errors.New(text)
	default:
		return nil
	}
}

// faults: a nil pointer is a panic that can be recovered, which takes a signal handler
// that finds Go's g.
func faults() (err error) {
	defer func() {
		if recover() == nil {
			err = errors.New("reading address 0 is no panic")
		}
	}()
	var p *struct{ n int }
	return fmt.Errorf("read %d", p.n)
}

func clocks() error {
	before := time.Now()
	if away := before.Unix() - int64(C.c_time()); away < -2 || away > 2 {
		return fmt.Errorf("Go and C are %d s apart", away)
	}
	time.Sleep(time.Millisecond)
	if !time.Now().After(before) {
		return errors.New("the clock stands")
	}
	return nil
}
