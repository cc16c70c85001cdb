// Package build says WHAT is built: it is the one folder that a fork edits. It holds
// data and does nothing.
package build

import (
	"github.com/tcapflow/tcapflow/build/alpine"
	"github.com/tcapflow/tcapflow/build/debian"
	"github.com/tcapflow/tcapflow/build/defaults"
	"github.com/tcapflow/tcapflow/build/distroless"
	"github.com/tcapflow/tcapflow/catalogue"
	"github.com/tcapflow/tcapflow/spec"
)

// Project is the program of this repository.
var Project = spec.Project{
	Namespace:    "tcapflow",
	Name:         "tcapflow-client",
	Summary:      "SS7-over-IP flow monitor: TCAP dialogues and their latency, live or from captures",
	Main:         "./cmd/tcapflow-client",
	Tags:         []string{"netgo", "osusergo", "libpcap"},
	Stamp:        spec.Stamp{Version: "main.version", Commit: "main.commit", Date: "main.date", Libc: "main.libc"},
	Capabilities: []spec.Capability{spec.CapNetRaw},
	Checks:       checks,
	Libraries:    []spec.Library{catalogue.Libpcap},
	Targets:      defaults.Targets,
	Distros:      defaults.Distros,
	Scenarios:    scenarios,
	Debian:       debian.Base,
	Alpine:       alpine.Base,
	Runtime:      distroless.Image,
}
