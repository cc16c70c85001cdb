#!/bin/sh
# The linker that Go's linker calls: clang, told of the target by its arguments.
set -e

# Go's linker tries flags out on a file trivial.c before it links, with no --target: for
# the builder's own architecture, which has no C library here. So each trial fails, but
# after a tenth of a second, and there are four (of 0.6 s to link).
case "$*" in *trivial.c*) exit 1 ;; esac

# linux/386: Go's position independent code finds g at runtime.tlsg@gotntpoff plus the 2
# bytes of the instruction before the operand, because R_386_GOTPC at the same place takes
# them off again (cmd/internal/obj/x86, Add: 2; cmd/link/internal/x86, elfreloc1). lld
# makes the access local-exec, which drops R_386_GOTPC and keeps the 2: g then lies 2 bytes
# too high, in the thread pointer or in a neighbour. GNU ld drops both. With the symbol 2
# bytes lower the sum is right. The gate (rule tls) looks at the result.
g_of_386() {
	index=$(readelf -sW "$1" | awk '$8 == "runtime.tlsg" { print $1 + 0 }')
	table=$(readelf -SW "$1" | awk '{ for (i = 1; i < NF; i++) if ($i == ".symtab") print $(i + 3) }')
	if [ -z "$index" ] || [ -z "$table" ]; then
		echo "$1: no symbol runtime.tlsg" >&2
		exit 1
	fi
	# st_value, the second word of 16 bytes (elf(5), Elf32_Sym): -2
	printf '\376\377\377\377' | dd of="$1" bs=1 seek=$((0x$table + 16 * index + 4)) conv=notrunc 2>/dev/null
}

if [ "$GOARCH" = 386 ]; then
	for argument; do
		case "$argument" in */go.o) g_of_386 "$argument" ;; esac
	done
fi

# -pie and -rdynamic, which Go adds, mean nothing beside -static-pie.
exec clang -Wno-unused-command-line-argument "$@"
