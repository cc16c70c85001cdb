package main

import "fmt"

const usage = `tcapflow-client shows the TCAP dialogues in SS7-over-IP traffic.

Usage:
    tcapflow-client capture -i INTERFACE [-f FILTER] [-count N] [-duration TIME]
    tcapflow-client read FILE...
    tcapflow-client interfaces [-json]
    tcapflow-client version [-json]
    tcapflow-client help [COMMAND]

It follows SCTP with M3UA, M2PA or M2UA, MTP3 and SCCP up to ITU-T TCAP, and
writes JSON Lines to standard output: a line of type "message" for every TCAP
message, one of type "dialogue" for every dialogue that is over, with the time
its first answer took, and one of type "summary" at the end. A summary for
people and all errors go to standard error.

Examples:
    $ tcapflow-client read trace.pcap | jq 'select(.type == "dialogue")'
    $ sudo tcapflow-client capture -i any -duration 5m > flow.jsonl
    $ ssh probe tcpdump -i eth0 -U -w - sctp | tcapflow-client read -

Exit codes:
    0  done (also when the reader of standard output went away)
    1  something failed
    2  wrong use
    3  not permitted to capture
    4  this binary was built without libpcap and cannot do this
`

const usageCapture = `Usage:
    tcapflow-client capture -i INTERFACE [FLAGS]

Captures on an interface until Ctrl-C, SIGTERM, -count or -duration, then
prints the summary. Once it captures it says so on standard error:
"capturing on INTERFACE".

Flags:
    -i INTERFACE      where to capture; "any" is all of them
    -f FILTER         BPF filter, pcap-filter(7); default "sctp". It sees frames
                      with one VLAN tag too where the kernel takes the tag off,
                      as Linux does. For stacked tags say
                      "sctp or (vlan and vlan and sctp)"; "" takes everything
    -count N          stop after N packets; 0, the default, does not
    -duration TIME    stop after this time, such as 90s or 1h; 0 does not
    -snaplen OCTETS   how much to keep of each packet; default 65535
    -promisc          also packets for other hosts; not with "any"
    -timeout TIME     when a Begin counts as unanswered; default 1m

Capturing needs the CAP_NET_RAW capability. Root has it; other users get it
    of a file     $ sudo setcap cap_net_raw=p tcapflow-client
    of a package  $ sudo setcap cap_net_raw=p /usr/bin/tcapflow-client
                  (an upgrade of the package keeps it)
    of an image   $ docker run --network host --cap-add NET_RAW IMAGE capture -i any
Where a program gains nothing from its file (no-new-privileges, Kubernetes'
"allowPrivilegeEscalation: false", a file system mounted nosuid), be root with
that capability alone: --user 0 --cap-drop ALL --cap-add NET_RAW.

Examples:
    $ tcapflow-client capture -i any
    $ tcapflow-client capture -i eth0 -f 'sctp and host 192.0.2.7' -count 1000
`

const usageRead = `Usage:
    tcapflow-client read [-timeout TIME] FILE...

Reads capture files, pcap or pcapng, as one capture in the order given: frame
numbers go on from file to file, and a dialogue may span them. FILE "-" is
standard input. A file that is broken off is read as far as it goes.

Flags:
    -timeout TIME     when a Begin counts as unanswered, in the capture's own
                      time; default 1m

Examples:
    $ tcapflow-client read trace.pcap
    $ tcapflow-client read trace-00.pcap trace-01.pcap
`

const usageInterfaces = `Usage:
    tcapflow-client interfaces [-json]

Lists where "capture" can capture: name, flags and addresses. With -json it is
one JSON array.
`

const usageVersion = `Usage:
    tcapflow-client version [-json]

Prints the version, and what it was built from: commit, date, Go, libpcap, libc.
`

const usageHelp = `Usage:
    tcapflow-client help [COMMAND]
`

var usages = map[string]string{
	"capture":    usageCapture,
	"read":       usageRead,
	"interfaces": usageInterfaces,
	"version":    usageVersion,
	"help":       usageHelp,
}

func (a *app) help(args []string) error {
	text := usage
	if len(args) > 1 {
		return misuse("help", "one command at a time")
	}
	if len(args) == 1 {
		var ok bool
		if text, ok = usages[args[0]]; !ok {
			return misuse("", "unknown command %q", args[0])
		}
	}
	_, err := fmt.Fprint(a.stdout, text)
	return err
}
