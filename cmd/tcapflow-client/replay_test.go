//go:build linux

package main

import (
	"bytes"
	"context"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tcapflow/tcapflow/internal/pcap"
)

// TestReplay hears on a packet socket of its own, packet(7), what is sent on lo.
func TestReplay(t *testing.T) {
	const capture = "testdata/dialogues.pcap"
	lo, err := net.InterfaceByName("lo")
	if err != nil {
		t.Skipf("no loopback interface: %v", err)
	}
	const all = 0x0300 // htons(ETH_P_ALL)
	ear, err := syscall.Socket(syscall.AF_PACKET, syscall.SOCK_RAW, all)
	if err != nil {
		t.Skipf("this user may not open a packet socket: %v", err)
	}
	defer syscall.Close(ear)
	if err := syscall.Bind(ear, &syscall.SockaddrLinklayer{Protocol: all, Ifindex: lo.Index}); err != nil {
		t.Fatal(err)
	}
	syscall.SetsockoptTimeval(ear, syscall.SOL_SOCKET, syscall.SO_RCVTIMEO, &syscall.Timeval{Sec: 5})
	var stderr bytes.Buffer
	if code := run([]string{"replay", "-i", "lo", "-speed", "0", capture}, nil, &bytes.Buffer{}, &stderr); code != 0 {
		t.Fatalf("exit code %d: %s", code, &stderr)
	}
	src, err := pcap.OpenFile(capture, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	heard := make([]byte, pcap.MaxPacket)
	for frames := 0; ; frames++ {
		want, err := src.Next()
		if err != nil {
			if !strings.Contains(stderr.String(), "on lo; 0 cannot be sent on it\n") || frames == 0 {
				t.Errorf("%d frames, told as %q", frames, &stderr)
			}
			return
		}
		for { // others use this interface, too
			n, _, err := syscall.Recvfrom(ear, heard, 0)
			if err != nil {
				t.Fatalf("frame %d was not heard: %v", frames+1, err)
			}
			if bytes.Equal(heard[:n], want.Data) {
				break
			}
		}
	}
}

func TestReplayMisuse(t *testing.T) {
	for _, args := range [][]string{
		{}, {"-i", "lo"}, {"x.pcap"}, {"-i", "lo", "-speed", "-1", "x"}, {"-i", "lo", "-loop", "-1", "x"},
	} {
		var stderr bytes.Buffer
		if code := run(append([]string{"replay"}, args...), nil, &bytes.Buffer{}, &stderr); code != exitUsage {
			t.Errorf("%q: exit code %d: %s", args, code, &stderr)
		}
	}
	var stderr bytes.Buffer
	code := run([]string{"replay", "-i", "none0", "testdata/dialogues.pcap"}, nil, &bytes.Buffer{}, &stderr)
	if code != exitError || !strings.Contains(stderr.String(), "no such interface: `ip link` lists them") {
		t.Errorf("exit code %d: %s", code, &stderr)
	}
}

// A packet is sent when it is due, by the first one's time, and no later one before.
func TestPace(t *testing.T) {
	p := pace{speed: 1000}
	begun := time.Now()
	for _, at := range []int64{5e9, 6e9, 15e9} { // the last 10 s after the first, at a thousand times that
		if !p.wait(t.Context(), at) {
			t.Fatal("ended without a reason")
		}
	}
	if took := time.Since(begun); took < 10*time.Millisecond {
		t.Errorf("took %v, want 10 ms at least", took)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if (&pace{speed: 1, begun: time.Now()}).wait(ctx, 1e18) {
		t.Error("a replay that was interrupted goes on")
	}
}

func TestSendError(t *testing.T) {
	err := sendError("eth0", pcap.ErrPermission)
	if exitCode(err) != exitPermission || !strings.Contains(err.Error(), "CAP_NET_RAW") {
		t.Errorf("exit code %d: %v", exitCode(err), err)
	}
}
