package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/tcapflow/tcapflow/internal/pcap"
)

// Stamped by the linker: -X main.version=… and so on.
var version, commit, date, libc string

type versionInfo struct {
	Version  string `json:"version"`
	Commit   string `json:"commit"`
	Date     string `json:"date"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
	Libpcap  string `json:"libpcap"`
	Libc     string `json:"libc"`
}

// buildVersion takes what the linker stamped, else what Go recorded, else
// "unknown".
func buildVersion() versionInfo {
	v := versionInfo{
		Version: version, Commit: commit, Date: date, Libc: libc,
		Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH, Libpcap: pcap.LibVersion(),
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		orElse(&v.Version, info.Main.Version)
		for _, s := range info.Settings {
			switch {
			case s.Key == "vcs.revision":
				orElse(&v.Commit, s.Value)
			case s.Key == "vcs.time":
				orElse(&v.Date, s.Value)
			case s.Key == "CGO_ENABLED" && s.Value == "0":
				orElse(&v.Libc, "none")
			}
		}
	}
	for _, s := range []*string{&v.Version, &v.Commit, &v.Date, &v.Libc} {
		orElse(s, "unknown")
	}
	return v
}

func orElse(s *string, fallback string) {
	if *s == "" {
		*s = fallback
	}
}

func (a *app) version(args []string) error {
	f := flag.NewFlagSet("version", flag.ContinueOnError)
	asJSON := jsonFlag(f)
	if err := parse(f, args); err != nil {
		return err
	}
	if f.NArg() > 0 {
		return misuse("version", "unexpected argument %q", f.Arg(0))
	}
	v := buildVersion()
	if *asJSON {
		return json.NewEncoder(a.stdout).Encode(v)
	}
	_, err := fmt.Fprintf(a.stdout, "tcapflow-client %s\ncommit   %s\ndate     %s\ngo       %s %s\nlibpcap  %s\nlibc     %s\n",
		v.Version, v.Commit, v.Date, v.Go, v.Platform, v.Libpcap, v.Libc)
	return err
}
