package main

import "flag"

// command is one of the program's commands.
type command struct {
	name  string
	about string // a few words, for the completion of shells
	usage string // its manual
	run   func(*app, []string) error
	flags func(*flag.FlagSet) // defines its flags; nil: it has none
	args  []string            // what its argument may be; nil: anything
	files bool                // its arguments are files
}

// commands is the program's table of commands: what runs, what "help" prints and what
// the scripts of "completion" know come out of it.
func commands() []command {
	json := func(f *flag.FlagSet) { jsonFlag(f) }
	return []command{
		{
			name: "capture", about: "capture on network interfaces", usage: usageCapture,
			run: (*app).capture, flags: new(captureOptions).flags,
		},
		{
			name: "read", about: "read capture files", usage: usageRead,
			run: (*app).read, flags: new(readOptions).flags, files: true,
		},
		{
			name: "top", about: "show what goes on now", usage: usageTop,
			run: (*app).top, flags: new(topOptions).flags, files: true,
		},
		{
			name: "flow", about: "draw a dialogue of capture files", usage: usageLadder,
			run: (*app).ladder, flags: new(flowOptions).decoderFlags, files: true,
		},
		{
			name: "replay", about: "send the frames of capture files", usage: usageReplay,
			run: (*app).replay, flags: new(replayOptions).flags, files: true,
		},
		{
			name: "interfaces", about: "list where capture can capture", usage: usageInterfaces,
			run: (*app).interfaces, flags: json,
		},
		{
			name: "config", about: "list the names of all settings", usage: usageConfig,
			run: (*app).config, flags: configFlag,
		},
		{
			name: "completion", about: "print a script that completes command lines", usage: usageCompletion,
			run: (*app).completion, args: shellNames(),
		},
		{
			name: "version", about: "print the version", usage: usageVersion,
			run: (*app).version, flags: json,
		},
		{
			name: "help", about: "print the manual of a command", usage: usageHelp,
			run: (*app).help, args: commandNames(),
		},
	}
}

// commandNames are the arguments of "help". They stand here once more because the table
// cannot be asked while it is made; a test compares.
func commandNames() []string {
	return []string{
		"capture", "read", "top", "flow", "replay", "interfaces", "config", "completion", "version", "help",
	}
}

// lookup finds a command by its name.
func lookup(name string) (command, bool) {
	for _, c := range commands() {
		if c.name == name {
			return c, true
		}
	}
	return command{}, false
}

// jsonFlag defines the flag of commands that print for people or for programs.
func jsonFlag(f *flag.FlagSet) *bool { return f.Bool("json", false, "") }
