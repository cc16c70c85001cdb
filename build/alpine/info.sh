#!/bin/sh
# info.sh SUITE GO.JSON NAME=DATABASE… writes builder.json: what the builder was made of.
# A database is apk's list of installed packages (apk-package(5): C: sum, P: name,
# V: version, A: architecture, L: licence). Of a target's only those packages
# count whose files sysroot.sh takes.
#
# apk keeps no digest of the package file: C: is Q1 and the base64 of the SHA-1 of the
# package's control part (Q2: SHA-256), which in turn holds the SHA-256 of its files.
set -eu
suite=$1 go=$2
shift 2

inputs() {
	for pair; do
		awk -v role="${pair%%=*}" '
		function quoted(s) { gsub(/\\/, "\\\\", s); gsub(/"/, "\\\"", s); return "\"" s "\"" }
		function emit() {
			if (name != "" && (role == "tools" || name ~ /^(musl|musl-dev|linux-headers|gcc|libgcc-static)$/))
				print "  {\"name\": " quoted(name) ", \"version\": " quoted(version) ", \"arch\": " quoted(arch) \
					", \"sum\": " quoted(sum) ", \"licences\": [" quoted(licence) "], \"for\": " quoted(role) "},"
			name = version = arch = sum = licence = ""
		}
		{ value = substr($0, 3) }
		/^C:/ { sum = value }
		/^P:/ { name = value }
		/^V:/ { version = value }
		/^A:/ { arch = value }
		/^L:/ { licence = value }
		/^$/ { emit() }
		END { emit() }' "${pair#*=}"
	done
}

# musl prints the version of musl that is linked: 1.2.6-r3 is Alpine's name for 1.2.6.
musl() {
	for pair; do
		case $pair in
		tools=*) ;;
		*) awk '/^P:/ { name = substr($0, 3) } /^V:/ && name == "musl-dev" { sub(/-r[0-9]+$/, ""); print substr($0, 3) }' "${pair#*=}" ;;
		esac
	done | sort -u | tr '\n' ' ' | sed 's/ $//'
}

cat <<END
{
 "base": "alpine",
 "suite": "$suite",
 "go": $(cat "$go"),
 "libc": "musl $(musl "$@")",
 "inputs": [
$(inputs "$@")
  $(cat "$go")
 ]
}
END
