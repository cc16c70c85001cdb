package main

import (
	"errors"
	"flag"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tcapflow/tcapflow/internal/dialogue"
	"github.com/tcapflow/tcapflow/internal/export"
	"github.com/tcapflow/tcapflow/internal/sigtran"
	"github.com/tcapflow/tcapflow/internal/sigtran/mtp3"
	"github.com/tcapflow/tcapflow/internal/sigtran/sctp"
)

// flowOptions are what "read" and "capture" have in common.
type flowOptions struct {
	decoder   sigtran.Options
	table     dialogue.Options
	messages  bool
	histogram bool
	clear     bool // numbers of subscribers are not masked
	filter    export.Filter
	service   serviceOptions
	writePcap string // file, or ""
	hep       hepOptions
}

// flags defines them.
func (o *flowOptions) flags(f *flag.FlagSet) {
	o.decoderFlags(f)
	o.tableFlags(f)
	f.BoolVar(&o.messages, "messages", true, "")
	f.BoolVar(&o.histogram, "histogram", false, "")
	o.decoder.Subscribers = true
	f.Func("subscribers", "", o.subscribers)
	f.StringVar(&o.writePcap, "write-pcap", "", "")
	o.hep.flags(f)
	o.filterFlags(f)
	o.service.flags(f)
}

// tableFlags defines those that say how to follow dialogues.
func (o *flowOptions) tableFlags(f *flag.FlagSet) {
	f.DurationVar(&o.table.AnswerTimeout, "timeout", time.Minute, "")
	f.DurationVar(&o.table.Hold, "hold", 2*time.Second, "")
	f.IntVar(&o.table.Max, "max-dialogues", 1<<22, "")
}

// decoderFlags defines those that say how to read messages.
func (o *flowOptions) decoderFlags(f *flag.FlagSet) {
	o.decoder.Auto = true
	f.Func("standard", "", o.standard)
	f.Func("port", "", o.port)
}

// subscribers takes what is done with IMSI and MSISDN.
func (o *flowOptions) subscribers(mode string) error {
	if !slices.Contains(subscriberModes, mode) {
		return errors.New("want off, masked or clear")
	}
	o.decoder.Subscribers, o.clear = mode != "off", mode == "clear"
	return nil
}

var subscriberModes = []string{"off", "masked", "clear"}

// standard takes the name of a standard, or "auto".
func (o *flowOptions) standard(name string) error {
	s, ok := mtp3.ParseStandard(name)
	if !ok && name != "auto" {
		return errors.New("want auto, itu, ansi, china or japan")
	}
	o.decoder.Standard, o.decoder.Auto = s, name == "auto"
	return nil
}

// port takes "12905=m3ua".
func (o *flowOptions) port(v string) error {
	protocols := map[string]uint32{
		"m3ua": sctp.PPIDM3UA, "m2pa": sctp.PPIDM2PA, "m2ua": sctp.PPIDM2UA, "sua": sctp.PPIDSUA,
	}
	number, name, _ := strings.Cut(v, "=")
	port, err := strconv.ParseUint(number, 10, 16)
	if err != nil || protocols[name] == 0 {
		return errors.New("want PORT=PROTOCOL, such as 12905=m3ua; protocols are m3ua, m2pa, m2ua and sua")
	}
	if o.decoder.Ports == nil {
		o.decoder.Ports = make(map[uint16]uint32)
	}
	o.decoder.Ports[uint16(port)] = protocols[name]
	return nil
}

// check is for what the flag package does not.
func (o *flowOptions) check(command string) error {
	switch {
	case o.table.AnswerTimeout <= 0 || o.table.Hold <= 0:
		return misuse(command, "times must be positive")
	case o.writePcap == "-":
		return misuse(command, "-write-pcap wants a file: standard output has the lines")
	case o.table.Max < 1 || o.table.Max > 1<<28:
		return misuse(command, "-max-dialogues must be between 1 and %d", 1<<28)
	case o.histogram && o.service.logFormat == "json":
		return misuse(command, "-histogram is a table for people: not with -log-format json")
	}
	return o.service.check(command)
}
