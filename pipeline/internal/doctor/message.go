package doctor

import "regexp"

// symptom is what users see, in one of its wordings.
type symptom string

// The symptoms; each leads to causes, which the checks look for.
const (
	noFile       symptom = "no such file or directory"
	execFormat   symptom = "exec format error"
	noLibrary    symptom = "a shared library is missing"
	glibcVersion symptom = "a version of glibc is missing"
	noSymbol     symptom = "a symbol is missing"
	staticTLS    symptom = "thread-local storage"
	denied       symptom = "permission denied"
	notPermitted symptom = "operation not permitted"
	illegal      symptom = "illegal instruction"
	noTrust      symptom = "a certificate is not trusted"
	noZone       symptom = "a time zone is not known"
	noHost       symptom = "a name is not resolved"
	noUser       symptom = "a user is not known"
	bindDenied   symptom = "a port is not given"
	noCapture    symptom = "a capture is not allowed"
	crash        symptom = "segmentation fault"
	notInPath    symptom = "a program is not in PATH"
)

// messages tell symptoms by what the kernel, the dynamic linkers of glibc and musl, Go, docker
// and shells print. The first that matches counts: what is special stands first.
var messages = []struct {
	is   symptom
	text *regexp.Regexp
	what string // where it comes from, and what it means in general
	next string
}{
	{glibcVersion,
		re("version [`'\"]?(GLIBC|GLIBCXX|CXXABI)_[0-9A-Z_.]+['\"]? not found|(GLIBC|GLIBCXX)_[0-9.]+. not found"),
		"the dynamic linker: the program was linked against a newer C library than the one there",
		"link it statically against musl (`mage static`), or build it on the oldest system that it must run on"},
	{staticTLS, re("static TLS|initial-exec TLS"),
		"the dynamic linker: a library's thread-local variables must be there when the program starts, and it is loaded later",
		"link the library into the program; musl never loads such a library with dlopen"},
	{noLibrary,
		re("error while loading shared libraries|Error loading shared library|cannot open shared object file"),
		"the dynamic linker: a library that the program needs is not there",
		"link it statically (`mage static`), or install the library there"},
	{noSymbol, re("Error relocating|symbol lookup error|undefined symbol|symbol not found"),
		"the dynamic linker: a library is there, but another one or an older one than was linked against",
		"a program for glibc does not run on musl, and gcompat is not all of glibc: link it statically (`mage static`)"},
	{execFormat, re("exec format error|cannot execute binary file|rosetta error|Exec format"),
		"the kernel: the file is for another CPU, or is no program",
		"compare `uname -m` there with what the file is for; a script needs `#!/bin/sh` as its first bytes"},
	{illegal, re("illegal instruction|SIGILL|microarchitecture support|CPU ISA level"),
		"the CPU: it lacks instructions that the program was compiled for",
		"build with GOAMD64=v1 (or a lower GOARM), and C without -march=native"},
	{noTrust,
		re("x509:|certificate signed by unknown authority|failed to verify certificate|unable to get local issuer"),
		"TLS: nobody there is trusted to sign certificates",
		"put /etc/ssl/certs/ca-certificates.crt into the image, or name a bundle with SSL_CERT_FILE"},
	{noZone, re("unknown time zone|zoneinfo|time: missing Location"),
		"package time: the zones' files are not there",
		"import _ \"time/tzdata\" in the program, or put /usr/share/zoneinfo into the image"},
	{noUser,
		re("unknown user|unknown group|unknown userid|no matching entries in passwd|unable to find user"),
		"a user has no line in /etc/passwd there",
		"use numbers (USER 65532:65532), or put an /etc/passwd into the image"},
	{noHost,
		re("no such host|temporary failure in name resolution|server misbehaving|getaddrinfo|Name or service not known"),
		"the resolver: what /etc/resolv.conf names did not know the host, or the C library's resolver lacks its files",
		"look at /etc/resolv.conf there; build with -tags netgo, so that Go resolves names itself"},
	{notInPath, re(`executable file not found in \$?\{?PATH|executable file .*not found|command not found`),
		"the engine or the shell: no folder of PATH has a program of that name",
		"name it by its whole path in ENTRYPOINT, and look whether it was copied there with its x bits"},
	{bindDenied, re("bind: permission denied|bind: .*denied|listen .*permission denied"),
		"the kernel: ports below 1024 are for root, or CAP_NET_BIND_SERVICE",
		"listen on a port of 1024 or more and map it (-p 80:8080), or set net.ipv4.ip_unprivileged_port_start=0"},
	{noCapture,
		re("(socket|capture|pcap|packet|raw).*(operation not permitted|permission)|CAP_NET_RAW|don't have permission to (perform|capture)"),
		"the kernel: packet sockets need CAP_NET_RAW, packet(7)",
		"`docker run --cap-add NET_RAW --user 0`, or give the file the capability: setcap cap_net_raw=ep FILE"},
	{denied, re("permission denied|EACCES"),
		"the kernel: the file or a folder on the way lacks x for that user, or its file system is mounted noexec",
		"look with `namei -l FILE` and `findmnt -T FILE`"},
	{notPermitted, re("operation not permitted|EPERM"),
		"the kernel: a right (a capability) is missing, or seccomp forbids a call",
		"a file with capabilities that the container may not have does not start: compare `getcap FILE` with --cap-add"},
	{noFile, re("no such file or directory|not found|ENOENT"),
		"the kernel: the file is there, but what starts it is not: its dynamic linker, or a script's interpreter",
		"`mage doctor -file=FILE -image=IMAGE` looks which"},
	{crash, re("segmentation fault|SIGSEGV|SIGBUS|core dumped"),
		"the program went wrong after it had started",
		"mixing two C libraries in a process does that, and threads with musl's small stack"},
}

func re(text string) *regexp.Regexp { return regexp.MustCompile("(?i)" + text) }

// symptomOf is what a message tells; ok is false where nobody knows it.
func symptomOf(message string) (at int, ok bool) {
	for i, m := range messages {
		if m.text.MatchString(message) {
			return i, true
		}
	}
	return 0, false
}
