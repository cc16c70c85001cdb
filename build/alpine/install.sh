#!/bin/sh
# install.sh makes a builder of an Alpine root.
#
#   TARGETS        words of NAME:TRIPLE:ARCH, such as linux/arm/v7:arm-linux-musleabihf:armv7
#   ALPINE_MIRROR  what stands before /v3.24/main, such as https://mirror.example/alpine;
#                  empty: as the image has it
#
# Exit status: 4 when apk could not fetch something, 1 for anything else.
set -eu

# clang22 and lld22 are LLVM's default in 3.24: another branch has other numbers.
tools='clang22 lld22 binutils make flex bison m4'
# gcc is taken for its start files and libgcc. libgcc-static has them in a hundredth of
# the size, but not libgcc_eh.a, which clang links into every static program.
sysroot='musl-dev linux-headers gcc'

here=$(dirname "$0")
work=$(mktemp -d)
bundle=/etc/ssl/certs/ca-certificates.crt

fail() {
	echo "install.sh: $*" >&2
	exit 1
}

# fetch runs apk, which verifies the signatures of indexes and the sums of packages.
fetch() {
	apk "$@" || {
		echo "install.sh: apk cannot fetch from $(head -n 1 /etc/apk/repositories)" >&2
		exit 4
	}
}

# database prints where a root's list of installed packages lies; apk 3 moves it.
database() {
	for db in "$1/lib/apk/db/installed" "$1/usr/lib/apk/db/installed"; do
		if [ -f "$db" ]; then
			echo "$db"
			return
		fi
	done
	fail "$1 has no apk database"
}

if [ -n "${ALPINE_MIRROR:-}" ]; then
	sed -i "/^#/!s|^.*/\([^/]*/[^/]*\)\$|${ALPINE_MIRROR%/}/\1|" /etc/apk/repositories
fi
if [ -s "$here/ca.pem" ]; then
	cp "$bundle" "$work/bundle"
	cat "$here/ca.pem" >>"$bundle"
fi

fetch update
# shellcheck disable=SC2086 # words
fetch add --no-cache $tools

databases="tools=$(database '')"
for target in $TARGETS; do
	name=${target%%:*}
	arch=${target##*:}
	triple=${target#*:}
	triple=${triple%:*}
	stage=$work/$arch
	mkdir -p "$stage/etc/apk/keys" /sysroot
	cp -L /usr/share/apk/keys/"$arch"/* "$stage/etc/apk/keys/"
	cp /etc/apk/repositories "$stage/etc/apk/"
	# shellcheck disable=SC2086
	fetch add --root "$stage" --arch "$arch" --initdb --no-scripts --no-cache $sysroot
	sh "$here/sysroot.sh" "$stage" "/sysroot/$triple" "$triple"
	# The list is what is needed of the stage from here on: it is 200 MB.
	cp "$(database "$stage")" "$work/$triple"
	rm -rf "$stage"
	databases="$databases $name=$work/$triple"
	mkdir -p "/cache/$(echo "$name" | tr / _)"
done

# Alpine gives its numbered tools' plain names in one folder for each version.
for program in clang ld.lld; do
	if [ ! -e "/usr/bin/$program" ]; then
		set -- /usr/lib/llvm*/bin/"$program"
		[ -e "$1" ] || fail "$tools brought no $program"
		ln -s "$1" "/usr/bin/$program"
	fi
done
ln -sf clang /usr/bin/cc

mkdir -p /src /out /cache
echo 'builder:x:65532:65532::/tmp:/bin/sh' >>/etc/passwd
echo 'builder:x:65532:' >>/etc/group
chown 65532:65532 /src /out /cache/*

# shellcheck disable=SC2086
sh "$here/info.sh" "$(cat /etc/alpine-release)" "$here/go.json" $databases >/etc/builder.json

if [ -f "$work/bundle" ]; then
	cat "$work/bundle" >"$bundle"
fi
rm -rf "$work" /var/cache/apk/*
