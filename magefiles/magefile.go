//go:build mage

// Builds, packs and proves a Go program that links C: fully static, for any Linux.
package main

import (
	"github.com/tcapflow/tcapflow/build"
	// mage:import
	_ "github.com/tcapflow/tcapflow/magefiles/house"
	// mage:import
	"github.com/tcapflow/tcapflow/magefiles/targets"
)

var _ = targets.Use(build.Project)

// Aliases lets `mage test` stand for all tests.
var Aliases = map[string]any{"test": targets.Test.All}
