package link

// Type is a link-layer header type, numbered as in capture files.
type Type uint16

// Link types that are decoded, from https://www.tcpdump.org/linktypes.html. DLTRaw
// and OpenBSDRaw are what a live capture calls Raw (pcap/dlt.h).
const (
	Null       Type = 0
	Ethernet   Type = 1
	PPP        Type = 9
	DLTRaw     Type = 12
	OpenBSDRaw Type = 14
	PPPHDLC    Type = 50
	PPPEther   Type = 51
	Raw        Type = 101
	CHDLC      Type = 104
	Loop       Type = 108
	LinuxSLL   Type = 113
	MTP2Phdr   Type = 139
	MTP2       Type = 140
	MTP3       Type = 141
	SCCP       Type = 142
	ERF        Type = 197
	IPv4       Type = 228
	IPv6       Type = 229
	LinuxSLL2  Type = 276
)
