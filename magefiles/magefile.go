//go:build mage

// Builds, packs and proves tcapflow-client.
package main

import (
	// mage:import
	_ "github.com/tcapflow/tcapflow/magefiles/targets"
)
