package main

import "fmt"

const usage = `tcapflow-client shows the TCAP dialogues in SS7-over-IP traffic.

Usage:
    tcapflow-client capture -i INTERFACE [-f FILTER] [-count N] [-duration TIME]
    tcapflow-client read [-follow] FILE...
    tcapflow-client top -i INTERFACE | [-follow] FILE...
    tcapflow-client flow TID|DIGITS FILE...
    tcapflow-client replay -i INTERFACE FILE...
    tcapflow-client interfaces [-json]
    tcapflow-client config [-config FILE]
    tcapflow-client completion bash|zsh|fish
    tcapflow-client version [-json]
    tcapflow-client help [COMMAND]

It follows SCTP with M3UA, M2PA, M2UA or SUA, MTP3 and SCCP up to TCAP, ITU-T's
and ANSI's, and writes JSON Lines to standard output: a line of type "start", one
of type "message" for every TCAP message, one of type "dialogue" for every
dialogue that is over, with the time its first answer took, and one of type
"summary" at the end. A summary for people and all errors go to standard error.

Examples:
    $ tcapflow-client read trace.pcap | jq 'select(.type == "dialogue")'
    $ tcapflow-client read -histogram trace.pcap > /dev/null
    $ sudo tcapflow-client capture -i any -duration 5m > flow.jsonl
    $ sudo tcapflow-client top -i any
    $ tcapflow-client flow 4917700 trace.pcap
    $ ssh probe tcpdump -i eth0 -U -w - sctp | tcapflow-client read -

Settings: what a flag says, an environment variable and a line of a YAML file
(-config FILE) can say too. "-max-dialogues 1000" is
TCAPFLOW_CLIENT_MAX_DIALOGUES=1000, and "max-dialogues: 1000" in the file. The
command line goes before the environment, that before the file.
` + "`tcapflow-client config`" + ` lists the names.

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
    -i INTERFACE      where to capture; "any" is all of them, several are
                      separated by commas
    -f FILTER         BPF filter, pcap-filter(7); default "sctp". It sees frames
                      with one VLAN tag too where the kernel takes the tag off,
                      as Linux does. For stacked tags say
                      "sctp or (vlan and vlan and sctp)"; "" takes everything
    -count N          stop after N packets; 0, the default, does not
    -duration TIME    stop after this time, such as 90s or 1h; 0 does not
    -snaplen OCTETS   how much to keep of each packet; default 65535
    -promisc          also packets for other hosts; not with "any"
    -user NAME        who to be once the capture is open, a name or UID:GID, which has
                      to be able to write new files of -output. Default: of root,
                      65534:65534 (nobody), unless -output or -write-pcap is given
    -sandbox NAME     what the kernel offers to limit the program, Landlock and seccomp:
                      auto, off, or require, which fails where there is none of one;
                      default auto. No files but those of its flags, no other program,
                      no new packet socket
` + usageFlow + `
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
    $ tcapflow-client capture -i eth1,eth2
    $ tcapflow-client capture -i eth0 -f 'sctp and host 192.0.2.7' -count 1000
    $ tcapflow-client capture -i any -messages=false -metrics 127.0.0.1:9145
    $ tcapflow-client capture -i any -messages=false -hep 192.0.2.1:9060
    $ tcapflow-client capture -i any -min-latency 5s -write-pcap slow.pcapng
`

const usageRead = `Usage:
    tcapflow-client read [FLAGS] FILE...

Reads capture files, pcap or pcapng, also compressed by gzip, as one capture in
the order given: frame numbers go on from file to file, and a dialogue may span
them. With several, each line says its file and the frame's number there. FILE "-"
is standard input; a directory stands for the files in it, by the time of their
first packets. A file that is broken off is read as far as it goes. Times are the
capture's own.

Flags:
    -follow           go on at the end of a file that is being written, until Ctrl-C
                      or SIGTERM; of a directory, the one argument then, read all files
                      and the one that is written next: what "tcpdump -w" makes, with
                      -G, -C and -W too. Not for compressed files
` + usageFlow + `
Examples:
    $ tcapflow-client read trace.pcap
    $ tcapflow-client read -follow /var/capture
    $ tcapflow-client read trace-00.pcap.gz trace-01.pcap.gz
    $ tcapflow-client read /var/capture
    $ tcapflow-client read -subscribers clear trace.pcap | jq .subscriber.imsi
    $ tcapflow-client read -messages=false -standard ansi trace.pcap
    $ tcapflow-client read -port 12905=m3ua trace.pcap
    $ tcapflow-client read -gt 4917,4918 -operation updateLocation trace.pcap
    $ tcapflow-client read -outcome timeout,abort -histogram trace.pcap
    $ tcapflow-client read -outcome abort -write-pcap aborts.pcapng trace.pcap
`

// usageFlow is what "read" and "capture" have in common.
const usageFlow = `    -messages=false   no "message" lines
    -subscribers MODE IMSI and MSISDN in "message" lines: masked, the default, leaves
                      their first five digits; clear writes them whole; off does not
                      look for them
    -histogram        at the end, a table of operations and a histogram of
                      latencies, on standard error
    -hep HOST:PORT    send each message that is selected below to Homer, in HEP version 3
                      over UDP; also with -messages=false
    -hep-id N         number of this probe in Homer; default 2001
    -write-pcap FILE  write the packets of the dialogues that are selected below to a
                      pcapng file, in their order. Until it is known they wait, in up
                      to 256 MB of memory; what is given up for that is counted. The
                      file is for its owner to read; "read" gives it its name when it
                      is whole
` + usageTable + usageDecoder + `
What is written, and goes into the histogram; ` + usageFilter + `With the last two there are no "message" lines: how its dialogue will end is not
known when a message comes.
` + usageService

// usageService is what those need that run them as a service.
const usageService = `
As a service:
    -config FILE      take settings from this YAML file, see ` + "`tcapflow-client config`" + `
    -output FILE      append the lines to this file; SIGHUP reopens it, and begins the
                      file of "capture -write-pcap" anew if that was given another name
    -log-format NAME  text, or json: a line of JSON for each thing that is said, and for
                      the summary; default text
    -instance NAME    what log lines call this instance; default $POD_NAME, or the host
    -metrics ADDRESS  serve http://ADDRESS/metrics for Prometheus, /healthz, and /readyz,
                      such as 127.0.0.1:9145; default: not
    -debug            serve /debug/buildinfo and /debug/pprof there too; only on a
                      loopback address
    -statsd ADDRESS   send newState, delState, abort, expiredState, parseError and latency
                      to a StatsD server each second, such as 127.0.0.1:8125
    -otlp URL         send metrics to an OpenTelemetry collector every ten seconds, by OTLP
                      over HTTP, such as http://127.0.0.1:4318; in builds with -tags otlp
    -statsd-prefix P  what stands before these names; default "tcapflow."
SIGTERM and SIGINT end the capture, write what is open, and the summary says so.
`

// usageTable is what all that follow dialogues have in common.
const usageTable = `    -timeout TIME     when a Begin counts as unanswered; default 1m
    -hold TIME        how long an answer that comes before its Begin waits for
                      it; default 2s
    -max-dialogues N  how many are followed at a time; of more, the longest
                      unanswered one is given up; default 4194304
`

// usageFilter are the flags that select dialogues.
const usageFilter = `several values are separated by
commas, and one of them has to fit one of the two sides:
    -gt DIGITS        global titles that begin with them
    -pc CODE          point codes: decimal, ANSI's 1-2-3, ITU's itu:1-2-3
    -ssn N            subsystem numbers
    -operation NAME   operations, by name or code
    -outcome NAME     dialogues that ended so: end, abort, timeout, undeliverable,
                      replaced, evicted, capture-end
    -min-latency TIME dialogues that were answered no sooner
`

// usageDecoder is what all that read captures have in common.
const usageDecoder = `    -standard NAME    point codes and party addresses of itu, ansi, china or
                      japan; default auto: each direction of an association by
                      what its messages fit
    -port N=PROTOCOL  SCTP port of m3ua, m2pa, m2ua or sua, for senders that leave
                      the payload protocol at 0 or have their own; may be repeated
`

const usageTop = `Usage:
    tcapflow-client top [FLAGS] -i INTERFACE
    tcapflow-client top [FLAGS] FILE...

Shows what an interface sees now: rates, operations, latencies, errors, aborts and
drops, and the peers that answer worst. Keys: q or Ctrl-C ends; the last frame stays
on the screen. Where standard output is no terminal, a frame is written in each
interval. Files are read as fast as can be, and are shown as a whole by their own
times; FILE is as for "read".

Flags:
    -i INTERFACE      where to capture, as for "capture"; it needs CAP_NET_RAW
    -f FILTER         BPF filter; default "sctp"
    -snaplen OCTETS   how much to keep of each packet; default 65535
    -follow           go on at the end of a file or directory that is being written,
                      as "read -follow" does
    -interval TIME    between two frames; default 2s
    -window TIME      rates and latencies are of the last one or two windows of this
                      length; default 10s
` + usageTable + usageDecoder + `
What is shown; ` + usageFilter + `
Without colour where the environment variable NO_COLOR is set.

Examples:
    $ sudo tcapflow-client top -i any
    $ tcapflow-client top -follow /var/capture
    $ tcapflow-client top -operation updateLocation trace.pcap
    $ sudo tcapflow-client top -i eth0 -interval 1m >> top.log
`

const usageLadder = `Usage:
    tcapflow-client flow [FLAGS] TID|DIGITS FILE...

Draws the dialogues of capture files that have this transaction ID, in
hexadecimal, or a global title that begins with these digits: a column for each
signalling point, an arrow for each message. FILE is as for "read".

Flags:
` + usageDecoder + `
Examples:
    $ tcapflow-client flow 00000001 trace.pcap
    $ tcapflow-client flow 4917700 /var/capture
`

const usageReplay = `Usage:
    tcapflow-client replay -i INTERFACE [FLAGS] FILE...

Sends the frames of capture files on an interface, with the gaps that they were
captured with, and says at the end how many it sent. FILE is as for "read".
Packets without an Ethernet header get one with empty addresses; what cannot be
sent on an interface (MTP2, say) is left out and counted. Linux only; it needs
the CAP_NET_RAW capability, as "capture" does.

Flags:
    -i INTERFACE      where to send
    -speed N          as fast as captured times N; 0: without a gap. Default 1
    -loop N           send all N times; 0: until Ctrl-C. Default 1

Examples:
    $ sudo tcapflow-client replay -i lo -speed 0 trace.pcap
    $ sudo tcapflow-client replay -i veth0 -speed 10 -loop 0 /var/capture
`

const usageInterfaces = `Usage:
    tcapflow-client interfaces [-json]

Lists where "capture" can capture: name, flags and addresses.

Flags:
    -json             one JSON array
`

const usageVersion = `Usage:
    tcapflow-client version [-json]

Prints the version, and what it was built from: commit, date, Go, libpcap, libc.

Flags:
    -json             one JSON object
`

const usageHelp = `Usage:
    tcapflow-client help [COMMAND]
`

const usageConfig = `Usage:
    tcapflow-client config [-config FILE]

Lists the names of all settings: as a flag and in the configuration file, as an
environment variable, with its default, what sets it now, and the commands that have
it. It fails where the environment or the file has a wrong name or value, so it is
the check of a file, too. A flag that may be repeated is a list in the file.

Flags:
    -config FILE      the file, YAML

Examples:
    $ tcapflow-client config
    $ tcapflow-client config -config /etc/tcapflow-client.yaml
    $ cat /etc/tcapflow-client.yaml
    i: eth1,eth2
    messages: false
    gt: ["4917", "4918"]
    $ tcapflow-client capture -config /etc/tcapflow-client.yaml
`

const usageCompletion = `Usage:
    tcapflow-client completion bash|zsh|fish

Prints a script for this shell that completes commands, flags, the values of flags
where they are known, and names of files.

Examples:
    $ tcapflow-client completion bash >/etc/bash_completion.d/tcapflow-client
    $ tcapflow-client completion zsh >"${fpath[1]}/_tcapflow-client"
    $ tcapflow-client completion fish >~/.config/fish/completions/tcapflow-client.fish
    $ source <(tcapflow-client completion bash)
`

func (a *app) help(args []string) error {
	text := usage
	if len(args) > 1 {
		return misuse("help", "one command at a time")
	}
	if len(args) == 1 {
		command, ok := lookup(args[0])
		if !ok {
			return misuse("", "unknown command %q", args[0])
		}
		text = command.usage
	}
	_, err := fmt.Fprint(a.stdout, text)
	return err
}
