//go:build !linux

package pipeline_test

import "testing"

func TestScript(t *testing.T) {
	t.Skip("skipped: the scripts mount, signal and look into /proc as on Linux")
}
