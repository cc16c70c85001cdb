#!/bin/sh
# The pkg-config of builds: what is linked is static, so what a library needs is always
# asked for, too. Where it looks is in PKG_CONFIG_LIBDIR: the target's sysroot, no other.
exec pkg-config --static "$@"
