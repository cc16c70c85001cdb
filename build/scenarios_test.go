package build

import (
	"io/fs"
	"os"
	"strings"
	"testing"

	"github.com/tcapflow/tcapflow/spec"
)

func TestRefusedInOneLine(t *testing.T) {
	for o, ok := range map[spec.Outcome]bool{
		{Code: 3, Stderr: "tcapflow-client: any: needs the CAP_NET_RAW capability\n"}: true,
		{Code: 0, Stderr: "CAP_NET_RAW\n"}:                                            false,
		{Code: 3, Stderr: "not permitted\n"}:                                          false,
		{Code: 3, Stderr: "CAP_NET_RAW\nand more\n"}:                                  false,
		{Code: 2, Stderr: "CAP_NET_RAW goroutine 1 [running]:\n"}:                     false,
	} {
		if err := refusedInOneLine(o); (err == nil) != ok {
			t.Errorf("%+v: %v", o, err)
		}
	}
}

func TestCaptured(t *testing.T) {
	const summary = `{"type":"start"}` + "\n" + `{"type":"summary","packets":3,"sctp_chunks":2,"tcap":{"begin":1},"late":7}` + "\n"
	want, err := totalsOf(summary)
	if err != nil || want.Packets != 3 {
		t.Fatalf("%+v, %v", want, err)
	}
	for o, ok := range map[spec.Outcome]bool{
		{Stdout: summary}: true,
		{Stdout: strings.Replace(summary, "7", "0", 1)}: true, // times differ
		{Stdout: strings.Replace(summary, "3", "2", 1)}: false,
		{Stdout: summary, Code: 1}:                      false,
		{Stdout: `{"type":"message"}`}:                  false,
		{Stdout: "no JSON"}:                             false,
	} {
		if err := captured(o, want); (err == nil) != ok {
			t.Errorf("%+v: %v", o, err)
		}
	}
}

// What scenarios are given is there, and a pipe does not hold it.
func TestCaptures(t *testing.T) {
	captures = os.DirFS("../cmd/tcapflow-client/testdata")
	long, err := longCapture()
	if err != nil || len(long) < 200<<10 {
		t.Errorf("%d bytes, %v", len(long), err)
	}
	var names []string
	err = fs.WalkDir(only(captures, capture, lines), ".", func(name string, d fs.DirEntry, err error) error {
		names = append(names, name)
		return err
	})
	if got := strings.Join(names, " "); err != nil || got != ". dialogues.pcap dialogues.jsonl" {
		t.Errorf("the files are %q, %v", got, err)
	}
}
