// Command handoff stands where GoReleaser calls a compiler:
//
//	handoff build FLAGS… -o PATH MAIN
//
// with GOOS, GOARCH and GOARM in the environment. It puts the verified binary of that
// platform at PATH, or fails with a line that names the platform. RELEASE_ORDER names
// the file that says what is to be released (release.Order).
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"

	"github.com/tcapflow/tcapflow/pipeline/internal/release"
)

func main() {
	target := os.Getenv("GOOS") + "/" + os.Getenv("GOARCH")
	if arm := os.Getenv("GOARM"); arm != "" {
		target += "/v" + arm
	}
	if err := handOff(os.Getenv("RELEASE_ORDER"), target, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func handOff(order, target string, args []string) error {
	text, err := os.ReadFile(order)
	if err != nil {
		return err
	}
	var o release.Order
	if err := json.Unmarshal(text, &o); err != nil {
		return fmt.Errorf("%s: %w", order, err)
	}
	i := slices.Index(args, "-o")
	if i < 0 || i+1 == len(args) {
		return fmt.Errorf("%s: no -o PATH in %q", target, args)
	}
	for _, b := range o.Binaries {
		if b.Target == target {
			return b.Take(o.Out, args[i+1])
		}
	}
	return fmt.Errorf("%s: is not in this release", target)
}
