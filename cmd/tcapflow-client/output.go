package main

import (
	"errors"
	"os"
	"os/signal"
	"syscall"

	"github.com/tcapflow/tcapflow/internal/pcap"
)

// outputFile is the file of -output. It is appended to, so that a program that comes back
// goes on where it was, and only its user may read it.
type outputFile struct {
	name string
	file *os.File
}

func (o *outputFile) Write(b []byte) (int, error) { return o.file.Write(b) }

// open opens the file, and closes the one before.
func (o *outputFile) open() error {
	file, err := os.OpenFile(o.name, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	before := o.file
	o.file = file
	if before == nil {
		return nil
	}
	return before.Close()
}

func (o *outputFile) close() { o.file.Close() } // what was written was flushed, and told

// openOutput has the flow write its lines to the file of -output.
func (f *flow) openOutput() error {
	f.output = &outputFile{name: f.options.service.output}
	if err := f.output.open(); err != nil {
		return err
	}
	f.out.SetOutput(f.output)
	return nil
}

// reopenOnHangup has SIGHUP reopen what is written: logrotate(8) gives the files other
// names, and sends it. What it returns ends that.
func (f *flow) reopenOnHangup() (stop func()) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGHUP)
	done := make(chan struct{})
	go func() {
		for {
			select {
			case <-signals:
				f.hangup.Store(true)
				f.wake.Store(true)
			case <-done:
				return
			}
		}
	}()
	return func() { signal.Stop(signals); close(done) }
}

// reopen is called between two packets. Lines so far go to the old file.
func (f *flow) reopen() error {
	err := f.flush()
	if f.output != nil {
		err = errors.Join(err, f.output.open())
	}
	return errors.Join(err, f.reopenPackets())
}

// reopenPackets begins the file of -write-pcap anew, if it was given another name: one that
// still has its name would be emptied. One that gets its name at the end is left alone.
func (f *flow) reopenPackets() error {
	if f.file == nil || f.packetsInfo == nil {
		return nil
	}
	if now, err := os.Stat(f.options.writePcap); err == nil && os.SameFile(now, f.packetsInfo) {
		return nil
	}
	if err := f.closePackets(); err != nil {
		return err
	}
	return f.openPackets(false)
}

// openPackets creates the file of -write-pcap.
func (f *flow) openPackets(atomic bool) (err error) {
	if f.file, err = pcap.CreateFile(f.options.writePcap, atomic); err != nil || atomic {
		return err
	}
	f.packetsInfo, err = os.Stat(f.options.writePcap)
	return err
}
