package main

import (
	"context"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"
)

// Control sequences of terminals: ECMA-48, and xterm's for the alternate screen, which
// leaves what the user has on the screen alone.
const (
	enterScreen = "\x1b[?1049h\x1b[?25l" // and hide the cursor
	leaveScreen = "\x1b[?25h\x1b[?1049l"
	home        = "\x1b[H"
	clearLine   = "\x1b[K"
	clearBelow  = "\x1b[J"
)

// Where the output is no terminal, frames are written one after the other, for this many
// columns and lines.
const (
	plainWidth  = 110
	plainHeight = 50
)

// view is where frames are shown: a terminal, or any other output.
type view struct {
	out      io.Writer
	terminal *os.File // or nil
	keys     *os.File // a terminal that is read for keys, or nil
	colour   bool
	quit     func()
	restore  func()
}

// newView looks what the output is. quit is called for the keys q and Ctrl-C.
func newView(stdin *os.File, stdout io.Writer, quit func()) *view {
	v := &view{out: stdout, quit: quit, restore: func() {}}
	f, ok := stdout.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) || os.Getenv("TERM") == "dumb" {
		return v
	}
	v.terminal, v.colour = f, hasColour()
	if stdin != nil && term.IsTerminal(int(stdin.Fd())) {
		v.keys = stdin
	}
	return v
}

// paint shows a frame at once and in every interval, until ctx is done; then the last one
// stays. An error of the output ends the reading, too.
func (v *view) paint(ctx context.Context, f *flow, interval time.Duration, quit func()) error {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	resized, stop := notifyResize()
	defer stop()
	defer v.enter()()
	err := error(nil)
	if v.terminal != nil {
		err = v.refresh(f)
	}
	for err == nil {
		select {
		case <-ctx.Done():
			v.restore()
			return writeFrame(v.out, f.frame(v.size()))
		case <-resized:
		case <-ticker.C:
		}
		err = v.refresh(f)
	}
	quit()
	return err
}

// refresh shows a frame.
func (v *view) refresh(f *flow) error {
	width, height := v.size()
	lines := f.frame(width, height)
	if v.terminal == nil {
		return writeFrame(v.out, lines)
	}
	// No line feed after the last line: it would scroll a screen that is full. A carriage
	// return before each other one, as a terminal in raw mode has none of its own.
	var b strings.Builder
	b.WriteString(home)
	b.WriteString(strings.Join(lines, clearLine+"\r\n"))
	b.WriteString(clearLine + clearBelow)
	_, err := io.WriteString(v.out, b.String())
	return err
}

// size is that of the terminal now.
func (v *view) size() (width, height int) {
	if v.terminal != nil {
		if width, height, err := term.GetSize(int(v.terminal.Fd())); err == nil && width > 0 && height > 0 {
			return width, height
		}
		return 80, 24
	}
	return plainWidth, plainHeight
}

// enter takes the screen and the keyboard; leave gives them back, however often it is
// called.
func (v *view) enter() (leave func()) {
	if v.terminal == nil {
		return func() {}
	}
	io.WriteString(v.out, enterScreen)
	cooked := func() {}
	if v.keys != nil {
		if state, err := term.MakeRaw(int(v.keys.Fd())); err == nil {
			cooked = func() { term.Restore(int(v.keys.Fd()), state) }
			go v.read()
		}
	}
	v.restore = sync.OnceFunc(func() {
		cooked()
		io.WriteString(v.out, leaveScreen)
	})
	return v.restore
}

// read waits for keys. It ends with the program: a read of a terminal cannot be ended.
func (v *view) read() {
	const ctrlC = 3
	key := make([]byte, 1)
	for {
		n, err := v.keys.Read(key)
		if err != nil {
			return
		}
		if n > 0 && (key[0] == 'q' || key[0] == ctrlC) {
			v.quit()
			return
		}
	}
}
