package main

import (
	"os"
	"strings"
	"testing"

	"github.com/tcapflow/tcapflow/internal/pcap"
)

// Who may not capture is told in one line what works: for this file, and for an image,
// where neither root nor setcap can be had.
func TestPermissionMessage(t *testing.T) {
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	err = captureError("eth0", pcap.ErrPermission)
	if exitCode(err) != exitPermission || strings.Contains(err.Error(), "\n") {
		t.Errorf("exit code %d: %v", exitCode(err), err)
	}
	words := []string{"CAP_NET_RAW", "root", "setcap cap_net_raw=p " + path, "--cap-add NET_RAW", "--user 0"}
	for _, want := range words {
		if !strings.Contains(err.Error(), want) || !strings.Contains(usageCapture, strings.TrimSuffix(want, path)) {
			t.Errorf("no %q in the message or in the manual: %v", want, err)
		}
	}
}
