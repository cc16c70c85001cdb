package main

import (
	"errors"
	"flag"
	"fmt"
	"io"

	"github.com/tcapflow/tcapflow/internal/export"
	"github.com/tcapflow/tcapflow/internal/pcap"
	"github.com/tcapflow/tcapflow/internal/sigtran"
)

// ladder is the command "flow": it draws dialogues of capture files.
func (a *app) ladder(args []string) error {
	f := flag.NewFlagSet("flow", flag.ContinueOnError)
	var options flowOptions
	options.decoderFlags(f)
	if err := parse(f, args); err != nil {
		return err
	}
	if f.NArg() < 2 {
		return misuse("flow", "want a transaction ID or the first digits of a global title, and files")
	}
	files, err := expand(f.Args()[1:])
	if err != nil {
		return err
	}
	ladders := export.NewLadders(f.Arg(0))
	decoder := sigtran.NewDecoder(options.decoder)
	var failed error
	for _, name := range files {
		if err := a.gather(ladders, decoder, name); err != nil {
			a.complain(fmt.Errorf("%s: %w", name, err))
			failed = errReported
		}
	}
	take(ladders, decoder.Close())
	if ladders.Count() == 0 && failed == nil {
		return fmt.Errorf("%s: no dialogue with this transaction ID or global title", f.Arg(0))
	}
	return errors.Join(failed, ladders.Draw(a.stdout))
}

// gather reads one file.
func (a *app) gather(ladders *export.Ladders, decoder *sigtran.Decoder, name string) error {
	src, err := pcap.OpenFile(name, a.stdin)
	if err != nil {
		return err
	}
	defer src.Close()
	for {
		p, err := src.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		take(ladders, decoder.Decode(p.Link, p.Time, p.Time, p.Data, p.Wire > len(p.Data)))
	}
}

func take(ladders *export.Ladders, messages []sigtran.Message) {
	for i := range messages {
		ladders.Add(&messages[i])
	}
}
