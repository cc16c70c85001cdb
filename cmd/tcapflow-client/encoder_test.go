package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	build "github.com/tcapflow/tcapflow/internal/sigtran/sigtrantest"
)

// encoded is a capture that our encoder made of what no capture at hand has.
type encoded struct {
	standard string // as tshark's preference mtp3.standard has it
	opc, dpc string // tshark's fields
	frames   [][]byte
}

func encodedCaptures() map[string]encoded {
	begin := build.TLV(0x62, build.OTID("\x01\x02\x03\x04"), build.Dialogue(0x60, 20), build.Invoke(1, 45))
	hlr, msc := build.GT("491770000001", 6), build.GT("491770000002", 8)
	tsn := uint32(0)
	frame := func(ppid uint32, payload []byte) []byte {
		tsn++
		return build.Frame(1, 2, 0, build.SCTP(build.Chunk(tsn, ppid, 3, payload)))
	}
	m3ua := func(sccp []byte) []byte { return frame(3, build.M3UA(100, 200, sccp)) }
	segment := func(from, to, remaining int) []byte {
		return m3ua(build.XUDT(hlr, msc, begin[from:to], build.Segmentation(from == 0, byte(remaining), 7)))
	}
	ansi := build.UDT(build.ANSIPC(0x010203, 6), build.ANSIPC(0x040506, 8), begin)
	ansiTitle := build.UDT(build.ANSIGT("3035551234", 9, 6), build.ANSIPC(0x040506, 8), begin)
	china := build.UDT(build.ChinaPC(0x010203, 6), build.ChinaPC(0x040506, 8), begin)
	japan := build.UDT(build.PC(0x0203, 6), build.PC(0x0506, 8), begin)
	label := func(f func(opc, dpc uint32, sccp []byte) []byte, opc, dpc uint32, sccp []byte) []byte {
		return frame(5, build.M2PA(f(opc, dpc, sccp)))
	}
	return map[string]encoded{
		"messages": {"ITU", "m3ua.protocol_data_opc", "m3ua.protocol_data_dpc", [][]byte{
			m3ua(build.UDT(hlr, msc, begin)), m3ua(build.XUDT(hlr, msc, begin, nil)), m3ua(build.LUDT(hlr, msc, begin)),
			segment(0, 20, 2), segment(20, 40, 1), segment(40, len(begin), 0),
		}},
		"itu":   {"ITU", "mtp3.opc", "mtp3.dpc", [][]byte{label(build.MTP3, 100, 16000, build.UDT(hlr, msc, begin))}},
		"ansi":  {"ANSI", "mtp3.opc", "mtp3.dpc", [][]byte{label(build.MTP3Wide, 0x040506, 0x010203, ansi), label(build.MTP3Wide, 0x040506, 0x010203, ansiTitle)}},
		"china": {"Chinese ITU", "mtp3.opc", "mtp3.dpc", [][]byte{label(build.MTP3Wide, 0x040506, 0x010203, china)}},
		"japan": {"Japan", "mtp3.opc", "mtp3.dpc", [][]byte{label(build.MTP3Japan, 0xfe06, 0xfd03, japan)}},
	}
}

// TestEncoderLikeTshark has tshark read what our encoder makes, so that encoder and
// decoder cannot be wrong alike.
func TestEncoderLikeTshark(t *testing.T) {
	for name, c := range encodedCaptures() {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), name+".pcap")
			var frames []frame
			for i, data := range c.frames {
				frames = append(frames, frame{time.Duration(i) * time.Millisecond, data})
			}
			if err := os.WriteFile(path, writeCapture(t, frames), 0o600); err != nil {
				t.Fatal(err)
			}
			var want, got []string
			options := []string{"-Y", "tcap", "-o", "mtp3.standard:" + c.standard}
			for _, r := range tsharkWith(t, path, options, "frame.number", c.opc, c.dpc, "sccp.called.ssn", "sccp.calling.ssn",
				"sccp.called.digits", "sccp.calling.digits", "tcap.otid") {
				want = append(want, strings.Join(r, " "))
			}
			for _, l := range readLines(t, path) {
				if l.Type == "message" {
					got = append(got, fmt.Sprintf("%d %d %d %d %d %s %s %s", l.Frame, l.OPC, l.DPC, l.Called.SSN, l.Calling.SSN,
						l.Called.GT, l.Calling.GT, l.OTID))
				}
			}
			if len(want) == 0 || !slices.Equal(got, want) {
				t.Errorf("got %q, tshark has %q", got, want)
			}
		})
	}
}
