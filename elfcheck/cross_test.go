package elfcheck

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// cIfuncBare needs no C library, so that no sysroot is needed to link it.
const cIfuncBare = `static int one(void) { return 0; }
static void *pick(void) { return one; }
int chosen(void) __attribute__((ifunc("pick")));
void _start(void) { chosen(); }
`

// TestCrossIfunc links an ifunc for each target as the builder does, with clang and lld.
func TestCrossIfunc(t *testing.T) {
	for _, program := range []string{"clang", "ld.lld"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("skipped: %s is not installed", program)
		}
	}
	for triple, typ := range map[string]string{
		"x86_64-linux-musl": "R_X86_64_IRELATIVE", "i386-linux-musl": "R_386_IRELATIVE",
		"aarch64-linux-musl": "R_AARCH64_IRELATIVE", "armv7a-linux-musleabihf": "R_ARM_IRELATIVE",
		"riscv64-linux-musl": "R_RISCV_IRELATIVE", "powerpc64le-linux-musl": "R_PPC64_IRELATIVE",
		"s390x-linux-musl": "R_390_IRELATIVE",
	} {
		t.Run(triple, func(t *testing.T) {
			path := crossLink(t, triple, cIfuncBare)
			f, findings, err := File(path, Want{})
			if err != nil || rules(findings) != "relocations" || f.Relocations.Others[typ] != 1 {
				t.Errorf("%v, %v, want one of %s: %v", err, f.Relocations, typ, findings)
			}
			if _, err := exec.LookPath("readelf"); err == nil {
				compare(t, path)
			}
		})
	}
}

// crossLink skips, and says why, where this clang or lld does not know the target.
func crossLink(t *testing.T, triple, source string) string {
	t.Helper()
	dir := t.TempDir()
	src, out := filepath.Join(dir, "main.c"), filepath.Join(dir, "main")
	if err := os.WriteFile(src, []byte(source), 0o644); err != nil {
		t.Fatal(err)
	}
	args := append([]string{"--target=" + triple, "-fPIC", "-fuse-ld=lld", "-nostdlib", "-static-pie"},
		strings.Fields(cHardened+"-o "+out+" "+src)...)
	if b, err := exec.Command("clang", args...).CombinedOutput(); err != nil {
		t.Skipf("skipped: clang %s: %v: %s", strings.Join(args, " "), err, b)
	}
	return out
}
