package main

import (
	"flag"
	"fmt"
	"net"

	"github.com/tcapflow/tcapflow/internal/dialogue"
	"github.com/tcapflow/tcapflow/internal/export"
	"github.com/tcapflow/tcapflow/internal/sigtran"
)

// hepOptions are the flags of HEP output.
type hepOptions struct {
	address string // HOST:PORT, or "" for none
	agent   uint
}

func (o *hepOptions) flags(f *flag.FlagSet) {
	f.StringVar(&o.address, "hep", "", "")
	f.UintVar(&o.agent, "hep-id", 2001, "")
}

// openHEP has messages sent to Homer, if that is wanted. stop ends it.
func (f *flow) openHEP() (stop func(), err error) {
	o := f.options.hep
	if o.address == "" {
		return func() {}, nil
	}
	conn, err := net.Dial("udp", o.address)
	if err != nil {
		return nil, fmt.Errorf("hep: %w: -hep takes HOST:PORT of Homer, such as 192.0.2.1:9060", err)
	}
	f.hep = export.NewHEP(conn, uint32(o.agent), f.options.clear)
	if f.packets == nil {
		f.table.Watch(f.hep)
	} else {
		f.table.Watch(bothWatchers{f.packets, f.hep})
	}
	return func() { conn.Close() }, nil
}

// observe takes a message to the table, and to Homer.
func (f *flow) observe(m *sigtran.Message) []dialogue.Record {
	if f.hep == nil {
		return f.table.Observe(m)
	}
	f.hep.Begin(m)
	records := f.table.Observe(m)
	f.hep.End(f.options.filter.Message(m))
	f.summary.HEP = f.hep.Counters
	return records
}

// bothWatchers is for a table that has two.
type bothWatchers [2]dialogue.Watcher

func (b bothWatchers) Joined(number uint32, frame uint64) {
	b[0].Joined(number, frame)
	b[1].Joined(number, frame)
}

func (b bothWatchers) Over(number uint32, r *dialogue.Record) {
	b[0].Over(number, r)
	b[1].Over(number, r)
}
