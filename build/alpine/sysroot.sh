#!/bin/sh
# sysroot.sh STAGE SYSROOT TRIPLE takes out of an Alpine root what a compiler for its
# architecture needs: headers, start files, static archives, and of GCC the start files
# and libgcc, which clang looks for below lib/gcc/TRIPLE.
set -eu
stage=$1 sysroot=$2 triple=$3

fail() {
	echo "sysroot.sh: $*" >&2
	exit 1
}

# GCC's folder here is, for instance, lib/gcc/armv7-alpine-linux-musleabihf/15.2.0.
set -- "$stage"/usr/lib/gcc/*/*/libgcc.a
if [ $# -ne 1 ] || [ ! -f "$1" ]; then
	fail "$stage has not one libgcc.a, but: $*"
fi
from=${1%/*}
gcc=lib/gcc/$triple/${from##*/}

mkdir -p "$sysroot/usr/$gcc"
cp -R "$stage/usr/include" "$sysroot/usr/"
cp "$stage"/usr/lib/*.o "$stage"/usr/lib/*.a "$sysroot/usr/lib/"
cp "$from"/*.o "$from"/libgcc*.a "$sysroot/usr/$gcc/"
# A ./configure may link its test programs dynamically.
if [ -e "$stage/usr/lib/libc.so" ]; then
	cp -L "$stage/usr/lib/libc.so" "$sysroot/usr/lib/"
fi

for file in include/stdio.h include/linux/if_packet.h lib/rcrt1.o lib/crti.o lib/crtn.o lib/libc.a \
	"$gcc/crtbeginS.o" "$gcc/crtendS.o" "$gcc/libgcc_eh.a"; do
	[ -f "$sysroot/usr/$file" ] || fail "Alpine's packages for $triple have no $file"
done
