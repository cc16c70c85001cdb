// Package plan decides how a target is built: environment, arguments, paths, and what
// the result must be. It is pure: the same project, target and options give the same
// plan, with no look at the machine, the clock or the engine.
package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/tcapflow/tcapflow/elfcheck"
	"github.com/tcapflow/tcapflow/spec"
)

// Options are what the user and the source tree add to project and target.
type Options struct {
	Debug     bool // an unstripped twin without optimisation
	Version   string
	Commit    string
	Date      string
	GoVersion string   // go1.26.8
	Module    string   // path of the main module
	Forbidden []string // host paths, which may stand in no artifact
}

// Build is a plan for one artifact.
type Build struct {
	Target    spec.Target
	Variant   string   // "debug" or none
	Dir       string   // below out/: linux_arm_v7, linux_amd64_debug
	Env       []string // of every command in the builder
	Args      []string // the go command
	Output    string   // where the binary lies in the builder
	Want      elfcheck.Want
	Libraries []Library
	Files     []File // that Env and Args name
}

// File is a script of the pipeline's own in the builder.
type File struct{ Path, Text string }

// Library is a plan for a C library on one target.
type Library struct {
	spec.Library
	Source  string // its one file, NAME.c, where it comes with the pipeline and not from a URL
	Env     []string
	Earlier []spec.Library // what is in the sysroot before it, and may be compiled into it
}

// LibcPlaceholder stands in Args for the libc that the builder has; the builder's own
// list of inputs says which that is.
const LibcPlaceholder = "{libc}"

const stackSize = 1 << 20 // bytes; musl's default of 128 KiB is too small for C called from Go

// For returns the plan of a target.
func For(p spec.Project, t spec.Target, o Options) Build {
	b := Build{Target: t, Dir: t.Dir()}
	if o.Debug {
		b.Variant, b.Dir = "debug", b.Dir+"_debug"
	}
	b.Output = "/out/" + b.Dir + "/" + p.Name
	b.Env = environment(t, o)
	b.Args = arguments(p, t, o, b.Output)
	b.Want = want(p, t, o)
	b.Files = files()
	b.Libraries = own(t, o)
	for _, l := range p.Linked() {
		b.Libraries = append(b.Libraries, Library{Library: l, Env: libraryEnv(t, o), Earlier: p.Earlier(l)})
	}
	return b
}

func compiler(t spec.Target) string { return "clang " + strings.Join(targetFlags(t), " ") }

// cxxCompiler finds the standard library where catalogue.Libcxx has put it. GNU's is none
// that Debian has for musl.
func cxxCompiler(t spec.Target) string {
	return "clang++ " + strings.Join(targetFlags(t), " ") + " -stdlib=libc++"
}

// targetFlags make clang compile and link for a target. A distribution's own defaults must
// not count: Alpine's clang has a configuration file for each triple that it is built for.
func targetFlags(t spec.Target) []string {
	own := []string{"--no-default-config", "--target=" + t.Triple, "--sysroot=/sysroot/" + t.Triple}
	return append(own, t.CFlags...)
}

// cflags: position independent code for static-PIE; no path of the builder's temporary
// folders in debug information. What a distribution has compiled into its clang is said
// here, either way: Alpine's protects the stack, and defines _FORTIFY_SOURCE where it
// optimises, for which musl has no headers.
func cflags(o Options) string {
	if o.Debug {
		return "-O0 -g -fPIC -fno-stack-protector -U_FORTIFY_SOURCE"
	}
	return "-O2 -fPIC -fstack-protector-strong -U_FORTIFY_SOURCE"
}

func environment(t spec.Target, o Options) []string {
	env := []string{
		"HOME=/tmp", "PATH=/usr/local/go/bin:/usr/bin", "LC_ALL=C", "TZ=UTC", "SOURCE_DATE_EPOCH=0",
		"GOOS=linux", "GOARCH=" + t.GOARCH, "CGO_ENABLED=1",
		"CC=" + compiler(t), "CXX=" + cxxCompiler(t),
		"CGO_CFLAGS=" + cflags(o), "CGO_CXXFLAGS=" + cflags(o), "CGO_LDFLAGS=-O2",
		"GOTOOLCHAIN=local", "GOENV=off", "GOWORK=off", "GOTELEMETRY=off", "GOFLAGS=-mod=readonly -buildvcs=false",
		"GOPROXY=file:///proxy", "GOSUMDB=off", // go.sum has every digest; the database was asked on the host
		"GOCACHE=/cache/" + t.Dir(), "GOTMPDIR=/cache/" + t.Dir() + "/tmp", "GOMODCACHE=/cache/mod", // volumes: the container's own file system can be slow
	}
	if t.GOARM != "" {
		env = append(env, "GOARM="+t.GOARM)
	}
	return append(env, pkgConfigEnv(t)...)
}

// pkgConfigEnv lets pkg-config see what was compiled for the target, and nothing else.
func pkgConfigEnv(t spec.Target) []string {
	root := "/sysroot/" + t.Triple
	return []string{
		"PKG_CONFIG=" + PkgConfig, "PKG_CONFIG_SYSROOT_DIR=" + root,
		"PKG_CONFIG_LIBDIR=" + root + "/usr/lib/pkgconfig:" + root + "/usr/share/pkgconfig",
	}
}

// libraryEnv is what the build script of a library sees. The builder adds MAKEFLAGS: how
// many CPUs there are changes nothing in the result.
func libraryEnv(t spec.Target, o Options) []string {
	env := []string{
		"HOME=/tmp", "PATH=/usr/bin", "LC_ALL=C", "TZ=UTC", "SOURCE_DATE_EPOCH=0",
		"TARGET=" + t.Name, "GOARCH=" + t.GOARCH, "TRIPLE=" + t.Triple,
		"CC=" + compiler(t), "CXX=" + cxxCompiler(t), "CFLAGS=" + cflags(o), "CXXFLAGS=" + cflags(o), "LDFLAGS=-static -fuse-ld=lld",
		"AR=ar", "RANLIB=ranlib", "ARFLAGS=rcD",
		// For programs that the script runs itself; the names are autoconf's, SQLite's and LuaJIT's.
		"CC_FOR_BUILD=cc", "BUILD_CC=cc", "HOSTCC=cc", "HOST_CC=cc",
		"CMAKE_TOOLCHAIN_FILE=" + CMakeToolchain,
	}
	return append(env, pkgConfigEnv(t)...)
}

func arguments(p spec.Project, t spec.Target, o Options, output string) []string {
	args := []string{"go", "build", "-trimpath", "-buildmode=" + buildMode(t), "-tags=" + strings.Join(p.Tags, ",")}
	if o.Debug {
		args = append(args, "-gcflags=all=-N -l")
	}
	return append(args, "-ldflags="+linkFlags(p, t, o), "-o", output, p.Main)
}

// buildMode is Go's: position independent unless the target has a reason not to be.
func buildMode(t spec.Target) string {
	if t.NonPIE != "" {
		return "exe"
	}
	return "pie"
}

// form tells the linker the same.
func form(t spec.Target) []string {
	if t.NonPIE != "" {
		return []string{"-static", "-no-pie"}
	}
	return []string{"-static-pie"}
}

func linkFlags(p spec.Project, t spec.Target, o Options) string {
	// Without a build ID: on linux/386 it differs from one cold compilation to the next,
	// though all else is the same (a flag of __x86.get_pc_thunk.cx goes into it).
	flags := []string{"-linkmode=external", "-extld=" + Linker, "-buildid="}
	if !o.Debug {
		flags = append(flags, "-s", "-w")
	}
	for _, stamp := range [][2]string{
		{p.Stamp.Version, o.Version}, {p.Stamp.Commit, o.Commit}, {p.Stamp.Date, o.Date}, {p.Stamp.Libc, LibcPlaceholder},
	} {
		if stamp[0] != "" {
			flags = append(flags, fmt.Sprintf("-X '%s=%s'", stamp[0], stamp[1]))
		}
	}
	external := append(externalFlags(t), startupObject(t))
	external = append(external, ownArchives...)
	for _, l := range p.Linked() {
		external = append(external, l.Link...)
	}
	return strings.Join(append(flags, "-extldflags '"+strings.Join(external, " ")+"'"), " ")
}

// externalFlags make clang link a static-PIE, or what the target's NonPIE says.
func externalFlags(t spec.Target) []string {
	return slices.Concat(targetFlags(t), form(t), []string{
		"-fuse-ld=lld", "-rtlib=libgcc", "-Wl,-z,relro,-z,now,-z,noexecstack",
		fmt.Sprintf("-Wl,-z,stack-size=%d", stackSize), "-Wl,--build-id=none",
	})
}

func want(p spec.Project, t spec.Target, o Options) elfcheck.Want {
	settings := map[string]string{"GOOS": "linux", "GOARCH": t.GOARCH, "CGO_ENABLED": "1", "-buildmode": buildMode(t), "-trimpath": "true", "-tags": strings.Join(p.Tags, ",")}
	if t.GOARM != "" {
		settings["GOARM"] = t.GOARM
	}
	return elfcheck.Want{
		Class: t.Class, Machine: t.Machine, Data: t.Data, NonPIE: t.NonPIE, MinStack: stackSize, Forbidden: o.Forbidden, Allowed: allowed(p),
		Go: &elfcheck.GoWant{Version: o.GoVersion, Path: path.Join(o.Module, p.Main), Settings: settings},
	}
}

// Key is the hash of everything that the artifact is made of: sources, modules (whose
// digests go.sum has, which is a source), toolchain and sysroot (in the builder's
// key), C libraries, flags.
func (b Build) Key(treeHash, builderKey string) string {
	h := sha256.New()
	fmt.Fprintln(h, treeHash, builderKey, b.Variant)
	for _, f := range b.Files {
		fmt.Fprintln(h, f.Path, f.Text)
	}
	for _, word := range append(append([]string{}, b.Env...), b.Args...) {
		fmt.Fprintf(h, "%q\n", word)
	}
	for _, l := range b.Libraries {
		fmt.Fprintln(h, l.Key(builderKey))
	}
	return hex.EncodeToString(h.Sum(nil))
}

// Key is the hash of everything that a compiled library is made of.
func (l Library) Key(builderKey string) string {
	h := sha256.New()
	fmt.Fprintf(h, "%s\n%s\n%s\n%s\n%q\n", builderKey, l.Name, l.SHA256, l.Library.Build, l.Env)
	fmt.Fprintln(h, pkgConfigScript, cmakeToolchain, l.Folders)
	for _, e := range l.Earlier {
		fmt.Fprintf(h, "%s\n%s\n%s\n", e.Name, e.SHA256, e.Build)
	}
	return hex.EncodeToString(h.Sum(nil))
}
