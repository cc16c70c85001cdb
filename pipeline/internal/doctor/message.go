package doctor

import (
	"slices"
	"strings"
)

// sayings are messages that say the same everywhere, whatever the file is.
var sayings = []struct {
	words      []string // all of them stand in the message
	what, says string
	next       string
}{
	{[]string{"exec format error"}, "message", "the kernel does not know this kind of program",
		"compare `file PROGRAM` with `uname -m`; an image needs --platform"},
	{[]string{"GLIBC_", "not found"}, "message", "glibc there is older than where the program was linked", "build it static, or on an older system"},
	{[]string{"error while loading shared libraries"}, "message", "a shared library is missing there", "build it static, or install the library"},
	{[]string{"Error relocating"}, "message", "musl's loader found a program or library of glibc", "build all of it against one C library"},
	{[]string{"x509", "unknown authority"}, "message", "no CA certificates are there, or a proxy has its own", "add ca-certificates, or set SSL_CERT_FILE"},
	{[]string{"unknown time zone"}, "message", "no time zones are there", "add tzdata, or import _ \"time/tzdata\""},
	{[]string{"bind", "permission denied"}, "message", "a user who is not root may not bind a port below 1024",
		"listen above, or give it CAP_NET_BIND_SERVICE; docker publishes any port as 80"},
	{[]string{"CAP_NET_RAW"}, "message", "capturing needs that capability", "setcap cap_net_raw=p FILE, or --cap-add NET_RAW"},
	{[]string{"operation not permitted", "socket"}, "message", "raw sockets need CAP_NET_RAW", "setcap cap_net_raw=p FILE, or --cap-add NET_RAW"},
}

// ofMessage explains what the user saw, as far as it says something by itself.
func ofMessage(message string) (found []Finding) {
	lower := strings.ToLower(message)
	for _, s := range sayings {
		missing := func(w string) bool { return !strings.Contains(lower, strings.ToLower(w)) }
		if message != "" && !slices.ContainsFunc(s.words, missing) {
			found = append(found, Finding{Warn, s.what, s.says, s.next})
		}
	}
	return found
}
