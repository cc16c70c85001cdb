package build

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strconv"
	"strings"

	"github.com/tcapflow/tcapflow/scenario"
	"github.com/tcapflow/tcapflow/spec"
)

// captures has a capture file, and what "read" says of it. It is read when a scenario is
// run: mage works in the checkout's folder.
var captures = os.DirFS("cmd/tcapflow-client/testdata")

const (
	capture = "dialogues.pcap"
	lines   = "dialogues.jsonl"
)

// scenarios are what users of the client do.
var scenarios = []spec.Scenario{
	scenario.Version("version"),
	scenario.Golden("read", only(captures, capture, lines), lines, "read", capture),
	scenario.Protected(longCapture, "read", "-"),
	{Name: "no-capability", Run: noCapability},
	{Name: "capture", Run: captureLive, SkipForeign: noLiveCapture},
	{Name: "docker-run", Run: dockerRun, Packing: "image", SkipForeign: noLiveCapture},
}

// noLiveCapture is why a scenario cannot be run under qemu-user.
const noLiveCapture = "qemu-user does not translate the ioctls of a live capture"

// only is a file system of some files of another.
func only(files fs.FS, names ...string) fs.FS { return some{files, names} }

type some struct {
	fs.FS
	names []string
}

// ReadDir implements fs.ReadDirFS.
func (s some) ReadDir(name string) (list []fs.DirEntry, err error) {
	for _, n := range s.names {
		if path.Dir(n) != path.Clean(name) {
			continue
		}
		info, err := fs.Stat(s.FS, n)
		if err != nil {
			return nil, err
		}
		list = append(list, fs.FileInfoToDirEntry(info))
	}
	return list, nil
}

// pcapHeader is the length of a pcap file's header, octets (draft-ietf-opsawg-pcap).
const pcapHeader = 24

// longCapture repeats the frames until the file is much longer than what a pipe holds.
func longCapture() ([]byte, error) {
	data, err := fs.ReadFile(captures, capture)
	if err != nil {
		return nil, err
	}
	if len(data) <= pcapHeader {
		return nil, fmt.Errorf("%s has no frames", capture)
	}
	frames := data[pcapHeader:]
	return append(data, bytes.Repeat(frames, (256<<10)/len(frames)+1)...), nil
}

// noCapability: a user without rights is told in one line what is missing. The program of
// an image has the capability of its file wherever the container has it, so it gets a
// container without: with the effective bit the kernel would refuse to execute it there,
// capabilities(7).
func noCapability(ctx context.Context, place spec.Place) (err error) {
	if place.Packing() == "image" && !place.Foreign() {
		if place, err = place.Fresh(ctx, nil, []string{"ALL"}); err != nil {
			return err
		}
	}
	o, err := place.Exec(ctx, spec.Command{Args: []string{"capture", "-i", "any", "-duration", "5s"}})
	if err != nil {
		return err
	}
	return refusedInOneLine(o)
}

func refusedInOneLine(o spec.Outcome) error {
	if o.Code == 0 || !strings.Contains(o.Stderr, "CAP_NET_RAW") ||
		strings.Count(o.Stderr, "\n") != 1 || strings.Contains(o.Stderr, "goroutine ") {
		return scenario.Failed(o, "want one line that names CAP_NET_RAW")
	}
	return nil
}

// captureLive: root with CAP_NET_RAW alone sees what another container of the same network
// sends. That network is a loopback interface with no way out.
func captureLive(ctx context.Context, place spec.Place) error { return captureIn(ctx, place, "0:0") }

// dockerRun: `docker run --cap-add NET_RAW IMAGE capture …` captures, with the image's
// own user and entry point. That user is not root, and a capability of the container is
// none of its user's: the program's file has to give it.
func dockerRun(ctx context.Context, place spec.Place) error {
	fresh, err := place.Fresh(ctx, []string{"NET_RAW"}, nil)
	if err != nil {
		return err
	}
	return captureIn(ctx, fresh, "")
}

// captureIn captures what a peer replays, and compares that with a reading of the file. On
// a slow machine the sender's container takes seconds to start.
func captureIn(ctx context.Context, place spec.Place, user string) error {
	text, err := fs.ReadFile(captures, lines)
	if err != nil {
		return err
	}
	want, err := totalsOf(string(text))
	if err != nil {
		return err
	}
	stderr := newWatcher("capturing on")
	command := spec.Command{User: user, Stderr: stderr,
		Args: []string{"capture", "-i", "any", "-count", strconv.Itoa(want.Packets), "-duration", "20s"}}
	o, err := whileRunning(stderr.seen,
		func() (spec.Outcome, error) { return place.Exec(ctx, command) },
		func() error { return replay(ctx, place) })
	if err != nil {
		return err
	}
	return captured(o, want)
}

// whileRunning waits for a run to end, and calls then once it has begun.
func whileRunning(begun <-chan struct{}, run func() (spec.Outcome, error), then func() error) (o spec.Outcome, err error) {
	ended := make(chan error, 1)
	go func() {
		var err error
		o, err = run()
		ended <- err
	}()
	select {
	case <-begun:
		failed := then()
		err = errors.Join(<-ended, failed)
	case err = <-ended:
	}
	return o, err
}

// replay sends the frames of the capture on the loopback interface of a place, from a
// peer, which shares its network.
func replay(ctx context.Context, place spec.Place) error {
	peer, err := place.Peer(ctx)
	if err != nil {
		return err
	}
	if err := peer.Put(ctx, "replay", only(captures, capture)); err != nil {
		return err
	}
	o, err := peer.Exec(ctx, spec.Command{User: "0:0", Dir: "replay",
		Args: []string{"replay", "-i", "lo", "-speed", "0", capture}})
	if err == nil && o.Code != 0 {
		err = scenario.Failed(o, "want the frames to be sent")
	}
	return err
}

// totals is what a live capture must have in common with a reading of the same frames:
// times differ, and with them what is late.
type totals struct {
	Type    string         `json:"type"`
	Packets int            `json:"packets"`
	Chunks  int            `json:"sctp_chunks"`
	TCAP    map[string]int `json:"tcap"`
}

func totalsOf(text string) (totals, error) {
	text = strings.TrimSpace(text)
	var t totals
	err := json.Unmarshal([]byte(text[strings.LastIndex(text, "\n")+1:]), &t)
	if err == nil && t.Type != "summary" {
		err = errors.New("the last line is not the summary")
	}
	return t, err
}

// captured compares the summary of a capture with that of a reading of the same frames.
func captured(o spec.Outcome, want totals) error {
	got, err := totalsOf(o.Stdout)
	if err != nil || o.Code != 0 || fmt.Sprint(got) != fmt.Sprint(want) {
		return scenario.Failed(o, fmt.Sprintf("want the summary to have %+v", want))
	}
	return nil
}
