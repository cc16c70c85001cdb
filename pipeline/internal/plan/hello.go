package plan

import (
	"strings"

	"github.com/tcapflow/tcapflow/elfcheck"
	"github.com/tcapflow/tcapflow/spec"
)

// Hello is a small program that shows whether a builder can build for a target: C that
// uses the C library, the kernel's headers and threads, compiled and linked as a build of
// the target is, without the go command.
type Hello struct {
	Target spec.Target
	Files  map[string]string // sources by name, in the folder that Script runs in
	Script string            // POSIX sh; the program is Output
	Output string            // in the same folder
	Env    []string
	Want   elfcheck.Want
}

const hello = `#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <linux/if_packet.h>

static void *greet(void *name)
{
	char text[64] = "hello, ";
	struct sockaddr_ll any;

	memset(&any, 0, sizeof any);
	strncat(text, name, sizeof text - strlen(text) - 1);
	printf("%s %u\n", text, (unsigned)any.sll_family);
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, greet, argc > 1 ? argv[1] : "world") != 0)
		return 1;
	return pthread_join(thread, NULL);
}
`

// HelloFor returns the program of a target. The object that every binary begins with is
// compiled beside it, as nothing is in the sysroot yet.
func HelloFor(t spec.Target) Hello {
	link := strings.Join(externalFlags(t), " ")
	return Hello{
		Target: t,
		Files:  map[string]string{"hello.c": hello, "startup.c": relro},
		Script: "set -e\n" +
			"$CC $CFLAGS -c -o startup.o startup.c\n" +
			"$CC $CFLAGS -c -o hello.o hello.c\n" +
			"clang " + link + " -o hello startup.o hello.o -lpthread\n",
		Output: "hello",
		Env:    libraryEnv(t, Options{}),
		Want: elfcheck.Want{Class: t.Class, Machine: t.Machine, Data: t.Data, NonPIE: t.NonPIE,
			MinStack: stackSize},
	}
}
