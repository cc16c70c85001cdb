package catalogue

import "github.com/tcapflow/tcapflow/spec"

// LuaJIT runs Lua 5.1, compiled as it runs. It is OpenResty's branch, which knows more
// CPUs. Link it with `#cgo pkg-config: luajit`. Modules in C cannot be loaded at run time:
// a static program has no dlopen.
var LuaJIT = spec.Library{
	Name:    "luajit",
	Version: "2.1.0+openresty20251030",
	Licence: "MIT",
	URLs: []string{
		"{debian}/pool/main/l/luajit/luajit_2.1.0+openresty20251030.orig.tar.xz",
	},
	SHA256:       "04106b57bb3b089ce21ae606163c6fbd260f245580cfeb45484201fd86835190",
	DebianSource: "luajit",
	Needs:        []spec.Library{},
	LeftOut: map[string]string{
		"linux/arm/v7": "what writes its code runs in the builder and must have 32-bit pointers, too; " +
			"the builder has no such compiler of its own",
		"linux/ppc64le": "LuaJIT has no code for 64-bit POWER",
		"linux/riscv64": "LuaJIT has no code for RISC-V",
	},
	// For linux/386 the program that writes the code is one for i386: the engine's kernel
	// has to run it. On s390x clang knows __clear_cache by another name only.
	Build: `
case "$GOARCH" in
386) HOST_CC="$CC -static" ;;
s390x) CFLAGS="$CFLAGS -D__clear_cache=__builtin___clear_cache" ;;
esac
make -C src libluajit.a CC="$CC" HOST_CC="$HOST_CC" XCFLAGS="$CFLAGS" TARGET_STRIP=: TARGET_AR="ar rcDus" BUILDMODE=static
mkdir -p "$DESTDIR/usr/lib/pkgconfig" "$DESTDIR/usr/include/luajit-2.1"
cp src/libluajit.a "$DESTDIR/usr/lib/libluajit-5.1.a"
cp src/lua.h src/lualib.h src/lauxlib.h src/luaconf.h src/luajit.h "$DESTDIR/usr/include/luajit-2.1/"
sed -e 's|^prefix=.*|prefix=/usr|' -e 's|^multilib=.*|multilib=lib|' -e 's|-Wl,-E ||' \
	-e "s|^relver=.*|relver=$(cat src/luajit_relver.txt)|" etc/luajit.pc >"$DESTDIR/usr/lib/pkgconfig/luajit.pc"
`,
}
