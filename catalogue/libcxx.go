package catalogue

import "github.com/tcapflow/tcapflow/spec"

// Libcxx is the standard library of C++, for .cc files in cgo and for libraries in C++. A
// project names it before what needs it, and nothing in its sources: it is linked into
// every program of the project. Code that asks for -lstdc++ gets it, too.
//
// Exceptions are unwound by GCC's library, which is in every sysroot. Debian has no C++ library for
// musl; those that it has are compiled against glibc, whose tables and locales they need.
var Libcxx = spec.Library{
	Name:    "libcxx",
	Version: "19.1.7",
	Licence: "Apache-2.0 WITH LLVM-exception",
	URLs: []string{
		"{debian}/pool/main/l/llvm-toolchain-19/llvm-toolchain-19_19.1.7.orig.tar.xz",
	},
	SHA256:       "ae498f3bc58ae2d9f64ef5f0c035c4240152bf015a5b7738b15c22e93bdc97ce",
	DebianSource: "llvm-toolchain-19",
	Needs:        []spec.Library{},
	Folders: []string{
		"libcxx/include", "libcxx/src", "libcxx/vendor", "libcxxabi/include", "libcxxabi/src",
	},
	Link: []string{"-lc++"},
	// LLVM's own build wants CMake, Python and Ninja, and sources of LLVM; what it decides
	// for musl is the few lines of __config_site.
	Build: `
cd libcxx
cat >include/__config_site <<'END'
#define _LIBCPP_ABI_VERSION 1
#define _LIBCPP_ABI_NAMESPACE __1
#define _LIBCPP_HAS_MUSL_LIBC
#define _LIBCPP_HAS_THREAD_API_PTHREAD
#define _LIBCPP_HAS_NO_VENDOR_AVAILABILITY_ANNOTATIONS
#define _LIBCPP_HAS_NO_TIME_ZONE_DATABASE
#define _LIBCPP_PSTL_BACKEND_STD_THREAD
#define _LIBCPP_HARDENING_MODE_DEFAULT 2
END
rm include/__config_site.in include/CMakeLists.txt
cp vendor/llvm/default_assertion_handler.in include/__assertion_handler
mkdir -p "$DESTDIR/usr/include/c++/v1" "$DESTDIR/usr/lib"
cp -R include/. ../libcxxabi/include/. "$DESTDIR/usr/include/c++/v1/"
rm src/new.cpp ../libcxxabi/src/cxa_noexception.cpp # operator new is libcxxabi's
cat >Makefile <<'END'
sources = $(wildcard src/*.cpp src/filesystem/*.cpp src/ryu/*.cpp ../libcxxabi/src/*.cpp)
objects = $(subst /,_,$(sources:.cpp=.o))
flags = -std=c++23 -nostdinc++ -Iinclude -I../libcxxabi/include -Isrc -D_GNU_SOURCE -D_LIBCPP_BUILDING_LIBRARY \
	-D_LIBCXXABI_BUILDING_LIBRARY -DLIBCXX_BUILDING_LIBCXXABI -fvisibility-inlines-hidden -w
libc++.a: $(objects)
	$(AR) $(ARFLAGS) $@ $^
define compile
$(subst /,_,$(1:.cpp=.o)): $(1)
	$(CXX) $(CXXFLAGS) $(flags) -c -o $$@ $$<
endef
$(foreach source,$(sources),$(eval $(call compile,$(source))))
END
make libc++.a
cp libc++.a "$DESTDIR/usr/lib/"
ln -s libc++.a "$DESTDIR/usr/lib/libstdc++.a"
`,
}
