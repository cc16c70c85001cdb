package sigtran

import "fmt"

// Hint says in one line what was met instead where packets came and no TCAP message
// was found, and what might help. It is "" else.
func (c *Counters) Hint() string {
	u := c.UserData
	if c.Packets == 0 || u.TCAP+u.Returned > 0 {
		return ""
	}
	best := reason{c.Packets, "packets with nothing of SS7",
		"capture with the filter \"sctp\", or on another interface"}
	most := c.Frames.Other
	for _, r := range c.reasons() {
		if r.n > 0 && r.n >= most {
			most, best = r.n, r
		}
	}
	return fmt.Sprintf("no TCAP found, but %d %s: %s", best.n, best.what, best.help)
}

// reason is something that was met in the place of TCAP.
type reason struct {
	n          uint64
	what, help string
}

// reasons are in the order of the layers; of equals, the last one tells most.
func (c *Counters) reasons() []reason {
	const standard = "-standard itu, ansi, china or japan fixes how they are read"
	ports := c.lastUnknown
	return []reason{
		{c.Frames.Unsupported, "packets of a link type that is not decoded",
			"capture as Ethernet, or on -i any"},
		{c.Frames.FillIn, "fill-in and link status units", "capture for longer"},
		{c.CutPackets, "packets cut by the snap length", "capture whole packets: -snaplen 65535"},
		{c.Frames.Fragments.Incomplete, "IP fragments of packets that did not become whole",
			"capture all of them: the filter \"sctp\" lets first ones through only"},
		{c.Control, "SCTP chunks without data", "capture for longer"},
		{c.Data.Unknown,
			fmt.Sprintf("chunks of an unknown payload protocol, ports %d and %d", ports.src, ports.dst),
			fmt.Sprintf("if it is SS7, -port %d=m3ua (or m2pa, m2ua, sua) says so", ports.dst)},
		{c.Data.FragmentsIncomplete, "SCTP fragments of messages that did not become whole",
			"capture all paths of the association"},
		{c.Adaptation.Control, "messages without user data", "capture for longer"},
		{c.MSU.Other, "MTP3 messages of " + c.service(), "TCAP is on links of SCCP"},
		{c.SCCP.Connection, "SCCP messages of connections", "they carry BSSAP or RANAP, not TCAP"},
		{c.SCCP.Segments.Incomplete, "SCCP segments of messages that did not become whole",
			"capture all links"},
		{c.UserData.Management, "messages of SCCP management", "capture for longer"},
		{c.UserData.Other, "SCCP messages with another user", standard},
		{c.Malformed.Total(), "malformed messages", standard},
	}
}

// service names the most frequent user of MTP3 (ITU-T Q.704 §14.2.1).
func (c *Counters) service() string {
	names := [16]string{
		0: "network management", 1: "network testing", 2: "network testing", 4: "TUP", 5: "ISUP",
		6: "DUP", 7: "DUP", 8: "MTP testing", 9: "BISUP", 10: "satellite ISUP", 12: "AAL2 signalling",
		13: "BICC", 14: "gateway control",
	}
	most := 0
	for i, n := range c.services {
		if n > c.services[most] {
			most = i
		}
	}
	if names[most] == "" {
		return fmt.Sprintf("service indicator %d", most)
	}
	return names[most]
}
