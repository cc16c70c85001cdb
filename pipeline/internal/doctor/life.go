package doctor

import (
	"slices"
	"strings"
)

// lookups is about names and users, which a C library looks up by files of the machine.
func (d *patient) lookups() {
	cgo := func(pkg string) bool { return slices.Contains(d.needs.Cgo, pkg) }
	hosts := cgo("net") || !d.isGo() && d.callsAny("getaddrinfo", "gethostbyname")
	users := cgo("os/user") || !d.isGo() && d.callsAny("getpwnam", "getpwnam_r", "getpwuid", "getpwuid_r")
	if d.facts.Libc == "glibc" && !d.dynamic() && (hosts || users) {
		what := map[bool]string{true: "names of hosts", false: "users"}[hosts]
		if hosts && users {
			what = "names of hosts and users"
		}
		d.warn("look-ups", []symptom{noHost, noUser, crash},
			"build with -tags netgo,osusergo, or link against musl (`mage static`)",
			"no such host, unknown user, or a crash in another glibc's libnss",
			"glibc is linked in statically and looks up %s, for which it loads libraries of the machine that must be of its own version", what)
	}
	goUsers := d.isGo() && !cgo("os/user") && d.callsAny("os/user.lookupUser", "os/user.lookupUserId",
		"os/user.lookupUnixUid")
	if d.root != nil && (goUsers || users) && !there(d.root, "/etc/passwd") {
		d.warn("users", []symptom{noUser, noFile}, "put an /etc/passwd with the user into the image",
			"user: unknown userid, or open /etc/passwd",
			"it looks up users, and %s has no /etc/passwd", d.There.Name)
	}
}

// bundles are the files that crypto/x509 looks at on Linux (src/crypto/x509/root_linux.go).
var bundles = []string{
	"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem",
	"/etc/pki/tls/cacert.pem", "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", "/etc/ssl/cert.pem",
}

// certificates is for Go programs that check those of servers.
func (d *patient) certificates() {
	if d.root == nil || !d.callsAny("crypto/x509.loadSystemRoots") ||
		d.callsAny("golang.org/x/crypto/x509roots/fallback.init.0") {
		return
	}
	files, leads := bundles, []symptom{noTrust}
	for _, v := range d.env {
		if name, ok := strings.CutPrefix(v, "SSL_CERT_FILE="); ok {
			files = []string{name}
		}
		if name, ok := strings.CutPrefix(v, "SSL_CERT_DIR="); ok && len(d.root.list(name)) > 0 {
			return
		}
	}
	has := func(name string) bool { return there(d.root, name) }
	folder := len(d.root.list("/etc/ssl/certs"))+len(d.root.list("/etc/pki/tls/certs")) > 0
	if i := slices.IndexFunc(files, has); i >= 0 {
		d.ok("certificates", "%s is there", files[i])
	} else if !folder || len(files) == 1 {
		d.warn("certificates", leads,
			"install ca-certificates there, or copy /etc/ssl/certs/ca-certificates.crt from a build stage",
			"x509: certificate signed by unknown authority",
			"it can check certificates of servers, and %s has none to trust (%s)", d.There.Name, files[0])
	}
}

// zones is for Go programs that load time zones by name.
func (d *patient) zones() {
	if d.root == nil || !d.callsAny("time.LoadLocation") || d.callsAny("time/tzdata.loadFromEmbeddedTZData") {
		return
	}
	folders := []string{"/usr/share/zoneinfo", "/usr/share/lib/zoneinfo", "/usr/lib/locale/TZ",
		"/etc/zoneinfo"}
	for _, v := range d.env {
		if name, ok := strings.CutPrefix(v, "ZONEINFO="); ok {
			folders = append(folders, name)
		}
	}
	if slices.ContainsFunc(folders, func(f string) bool { return there(d.root, f) }) {
		return
	}
	d.warn("time zones", []symptom{noZone}, `import _ "time/tzdata", or put /usr/share/zoneinfo there`,
		"unknown time zone Europe/Berlin",
		"it loads time zones by name, and %s has none", d.There.Name)
}

// rights is about what only root may do.
func (d *patient) rights() {
	captures := d.callsAny(slices.DeleteFunc(slices.Clone(calls), func(c string) bool {
		return !strings.Contains(c, "pcap") && !strings.Contains(c, "packet")
	})...)
	switch {
	case !captures:
	case d.image && d.uid != 0 && !d.entry.caps:
		d.warn("capture", []symptom{noCapture, notPermitted, denied},
			"`docker run --user 0 --cap-add NET_RAW`, or give the file the capability before it is packed (setcap cap_net_raw=ep)",
			"socket: operation not permitted", "it captures packets, and user %s has no CAP_NET_RAW", d.user)
	case d.image && d.entry.caps:
		d.add(OK, "capture", []symptom{noCapture, notPermitted},
			"`docker run --cap-add NET_RAW`, where capabilities are dropped", "",
			"its file has capabilities; where the container may not have them, it does not start, or does not capture")
	case !d.image && !d.entry.caps:
		d.add(OK, "capture", []symptom{noCapture, notPermitted, denied},
			"run it as root, or `sudo setcap cap_net_raw=ep FILE`", "",
			"it captures packets, for which it needs root or CAP_NET_RAW")
	}
	if low := slices.DeleteFunc(slices.Clone(d.ports), func(p int) bool { return p >= 1024 }); d.uid != 0 &&
		len(low) > 0 {
		d.warn("ports", []symptom{bindDenied, denied},
			"listen on a port of 1024 or more; Docker since 20.10 allows low ones, Kubernetes and podman do not",
			"bind: permission denied", "the image says that it listens on port %d, and user %s is not root",
			low[0], d.user)
	} else if d.image && d.uid != 0 {
		d.add(OK, "user", []symptom{bindDenied}, "", "",
			"%s, who may not listen on ports below 1024 everywhere", d.user)
	}
}
