package main

import (
	"cmp"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/tcapflow/tcapflow/internal/config"
	"github.com/tcapflow/tcapflow/internal/sandbox"
)

// confineOptions say what "capture" gives up of its powers.
type confineOptions struct {
	user       string
	sandbox    string
	configFile string // has to be read a second time
}

var sandboxChoices = []string{"auto", "off", "require"}

func (o *confineOptions) flags(f *flag.FlagSet) {
	f.StringVar(&o.user, "user", "", "")
	f.StringVar(&o.sandbox, "sandbox", "auto", "")
}

func (o *confineOptions) check() error {
	if !slices.Contains(sandboxChoices, o.sandbox) {
		return misuse("capture", "-sandbox must be one of %s", strings.Join(sandboxChoices, ", "))
	}
	return nil
}

// enter limits the program to the files and ports that its flags name. The program is
// started anew for that: nothing may be open yet.
func (a *app) enter(o *captureOptions) error {
	if !a.process || o.confine.sandbox == "off" || sandbox.Entered() {
		return nil
	}
	err := sandbox.Enter(o.limits())
	if o.confine.sandbox == "require" {
		return fmt.Errorf("sandbox: %w: -sandbox auto does without", err)
	}
	return nil // Linux before 5.13, or under an emulator
}

// limits are what a capture with these options needs.
func (o *captureOptions) limits() sandbox.Limits {
	l := sandbox.Limits{
		// libpcap asks /sys and /proc about interfaces; names of hosts and users are in /etc.
		Read:            []string{"/proc", "/sys", "/etc"},
		Connect:         []uint16{53}, // long answers of name servers come by TCP
		AbstractSockets: strings.HasPrefix(os.Getenv("NOTIFY_SOCKET"), "@"),
	}
	if o.confine.configFile != "" {
		l.Read = append(l.Read, o.confine.configFile)
	}
	for _, name := range []string{o.service.output, o.writePcap} {
		if name != "" {
			l.Write = append(l.Write, filepath.Dir(name))
		}
	}
	if u, err := url.Parse(o.service.otlp); err == nil && o.service.otlp != "" {
		port := cmp.Or(u.Port(), map[string]string{"https": "443"}[u.Scheme], "80")
		if n, err := strconv.ParseUint(port, 10, 16); err == nil {
			l.Connect = append(l.Connect, uint16(n))
		}
	}
	_, port, _ := net.SplitHostPort(o.service.metrics)
	if n, err := strconv.ParseUint(port, 10, 16); err == nil {
		l.Bind = append(l.Bind, uint16(n))
	}
	return l
}

// confine gives up what is not needed any more once everything is open: root, and system
// calls.
func (a *app) confine(o *captureOptions) error {
	if !a.process {
		return nil
	}
	user, err := o.dropUser()
	if err != nil {
		return err
	}
	closed := false
	if o.confine.sandbox != "off" {
		err := sandbox.Close()
		closed = err == nil
		if err != nil && (o.confine.sandbox == "require" || !errors.Is(err, sandbox.ErrUnsupported)) {
			return fmt.Errorf("sandbox: %w", err)
		}
	}
	if o.service.logFormat == "json" {
		a.log.Info("confined", "user", user, "landlock", sandbox.Entered(), "seccomp", closed)
	}
	return nil
}

// dropUser becomes the user of -user; without it, root becomes nobody where it can, unless
// there are files that it may have to open again.
func (o *captureOptions) dropUser() (user string, err error) {
	if o.confine.user != "" {
		if err := sandbox.DropTo(o.confine.user); err != nil {
			return "", fmt.Errorf("-user %s: %w", o.confine.user, err)
		}
		return o.confine.user, nil
	}
	same := strconv.Itoa(os.Getuid())
	if os.Getuid() != 0 || cmp.Or(o.service.output, o.writePcap) != "" {
		return same, nil
	}
	if sandbox.DropTo(sandbox.Nobody) != nil { // of a container without CAP_SETUID
		return same, nil
	}
	return sandbox.Nobody, nil
}

// configFileOf is the file of -config, "" for none.
func configFileOf(f *flag.FlagSet) string {
	if g := f.Lookup(config.FileFlag); g != nil {
		return g.Value.String()
	}
	return ""
}
