package elfcheck

import (
	"bytes"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// marks are all of glibcMarks as a C compiler stores them.
func marks() []byte { return []byte("\x00" + strings.Join(glibcMarks, "\x00") + "\x00") }

// What a program speaks of, or carries along, is not what it is made of.
func TestGlibcSpokenOf(t *testing.T) {
	source := "package main\n\nimport \"os\"\n\nfunc main() {\n"
	for _, mark := range append([]string{"libnss_", "GNU C Library ("}, glibcMarks...) {
		source += "\tprintln(os.Getenv(\"" + mark + "\"))\n"
	}
	speaking := goFixture{"amd64", "exe", "", source + "}\n"}
	f, err := Inspect(speaking.path(t))
	if err != nil || f.Libc != "" {
		t.Errorf("libc %q (%s), %v", f.Libc, f.LibcEvidence, err)
	}
	embedded := append(good(t), marks()...) // no cgo: an embedded file
	if f := mustInspect(t, embedded); f.Libc != "" {
		t.Errorf("an embedded file: libc %q (%s)", f.Libc, f.LibcEvidence)
	}
	one := append(tiny64.bytes(), "\x00GLIBC_TUNABLES\x00"...) // C code's getenv
	if f := mustInspect(t, one); f.Libc != "" {
		t.Errorf("one string: libc %q (%s)", f.Libc, f.LibcEvidence)
	}
	beside := append(tiny64.bytes(), string(marks())+muslMark+"\x00"...)
	if f := mustInspect(t, beside); f.Libc != "musl" {
		t.Errorf("beside musl: libc %q (%s)", f.Libc, f.LibcEvidence)
	}
}

// A stripped file has strings only.
func TestGlibcByStrings(t *testing.T) {
	f := mustInspect(t, append(tiny64.bytes(), marks()...))
	if rules(Static(f)) != "glibc-dlopen" || !strings.Contains(f.LibcEvidence, `"GLIBC_TUNABLES" at byte `) {
		t.Errorf("libc %q (%s), %v", f.Libc, f.LibcEvidence, Static(f))
	}
}

// Each kind of evidence is enough, in a real file from which the stronger ones are stripped.
func TestGlibcEvidence(t *testing.T) {
	note := cFixture{name: "evidence", args: "-static"}.path(t)
	if _, err := exec.LookPath("objcopy"); err != nil {
		t.Skip("skipped: objcopy (binutils) is not installed")
	}
	without := func(args ...string) string {
		out := t.TempDir() + "/file"
		if b, err := exec.Command("objcopy", append(args, note, out)...).CombinedOutput(); err != nil {
			t.Fatalf("objcopy: %v\n%s", err, b)
		}
		b, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		const abi = "\x10\x00\x00\x00\x01\x00\x00\x00" // size and type of NT_GNU_ABI_TAG
		// objcopy -R leaves the note's bytes in their segment.
		return write(t, bytes.ReplaceAll(b, []byte(abi+"GNU\x00"), []byte(abi+"XXX\x00")))
	}
	for _, c := range []struct{ path, evidence string }{
		{note, "note NT_GNU_ABI_TAG"},
		{without("-R", ".note.ABI-tag"), `symbol "`},
		{without("-R", ".note.ABI-tag", "--strip-all"), `strings "GLIBC_TUNABLES" at byte `},
	} {
		f, err := Inspect(c.path)
		if err != nil || f.Libc != "glibc" || !strings.HasPrefix(f.LibcEvidence, c.evidence) {
			t.Errorf("libc %q, evidence %q, %v; want %q", f.Libc, f.LibcEvidence, err, c.evidence)
		}
	}
	musl := cFixture{name: "musl-unstripped", musl: "rcrt1.o"}.path(t)
	if f, err := Inspect(musl); err != nil || f.Libc != "musl" {
		t.Errorf("musl, with symbols: %q (%s), %v", f.Libc, f.LibcEvidence, err)
	}
}
