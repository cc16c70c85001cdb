package relro

import (
	"debug/elf"
	"slices"
	"strings"
	"testing"
)

// The program headers and maps of a static-PIE for amd64, run by Linux, and of one for
// arm64, run by qemu-user 7.2. PROTECTED stands for the mode of the pages in question.
var (
	amd64 = recorded{path: "/usr/bin/program", headers: []elf.ProgHeader{
		{Type: elf.PT_LOAD, Off: 0, Vaddr: 0, Memsz: 0x245324},
		{Type: elf.PT_LOAD, Off: 0x245340, Vaddr: 0x246340, Memsz: 0x21c568},
		{Type: elf.PT_LOAD, Off: 0x4628a8, Vaddr: 0x4638a8, Memsz: 0x89758},
		{Type: elf.PT_LOAD, Off: 0x4eb4e0, Vaddr: 0x4ed4e0, Memsz: 0x578b40},
		{Type: elf.PT_GNU_RELRO, Off: 0x4628a8, Vaddr: 0x4638a8, Memsz: 0x89758},
	}, maps: `4768000000-476a400000 ---p 00000000 00:00 0 
5555898a7000-5555898a8000 rw-p 00000000 00:00 0                          [heap]
7fb477000000-7fb477246000 r--p 00000000 fe:00 10013073                   /usr/bin/program
7fb477246000-7fb477463000 r-xp 00245000 fe:00 10013073                   /usr/bin/program
7fb477463000-7fb4774ed000 PROTECTED 00462000 fe:00 10013073                   /usr/bin/program
7fb4774ed000-7fb4774fe000 rw-p 004eb000 fe:00 10013073                   /usr/bin/program
7fb4774fe000-7fb477a67000 rw-p 00000000 00:00 0 
7ffc7f63b000-7ffc7f65c000 rw-p 00000000 00:00 0                          [stack]
ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]
`}
	arm64 = recorded{path: "/opt/a program", headers: []elf.ProgHeader{
		{Type: elf.PT_LOAD, Off: 0, Vaddr: 0, Memsz: 0x232f54},
		{Type: elf.PT_LOAD, Off: 0x232f60, Vaddr: 0x242f60, Memsz: 0x207c7c},
		{Type: elf.PT_LOAD, Off: 0x43abe0, Vaddr: 0x45abe0, Memsz: 0x89420},
		{Type: elf.PT_LOAD, Off: 0x4c35e0, Vaddr: 0x4f35e0, Memsz: 0x57f1c0},
		{Type: elf.PT_GNU_RELRO, Off: 0x43abe0, Vaddr: 0x45abe0, Memsz: 0x89420},
	}, maps: `5500000000-5500233000 r--p 00000000 fe:00 10014369                       /opt/a program
5500242000-550044b000 r--p 00232000 fe:00 10014369                       /opt/a program
550045a000-55004e4000 PROTECTED 0043a000 fe:00 10014369                       /opt/a program
55004f3000-5500504000 rw-p 004c3000 fe:00 10014369                       /opt/a program
7f14b8000000-7f14b8021000 rw-p 00000000 00:00 0 
56325c382000-56325c384000 r--p 00000000 fe:00 247026                     /tcapflow-test/qemu-aarch64
`}
)

type recorded struct {
	path    string
	headers []elf.ProgHeader
	maps    string
}

func (r recorded) file(kind elf.Type) *elf.File {
	f := &elf.File{FileHeader: elf.FileHeader{Type: kind}}
	for _, h := range r.headers {
		f.Progs = append(f.Progs, &elf.Prog{ProgHeader: h})
	}
	return f
}

func TestCheck(t *testing.T) {
	const page = 0x1000
	half := strings.Replace(amd64.maps, "7fb477463000-7fb4774ed000 PROTECTED 00462000",
		"7fb477463000-7fb477470000 r--p 00462000 fe:00 1 /usr/bin/program\n"+
			"7fb477470000-7fb4774ed000 rw-p 0046f000", 1)
	two := strings.Replace(half, "7fb477470000-7fb4774ed000 rw-p", "7fb477470000-7fb4774ed000 r--p", 1)
	gap := strings.Replace(half, "7fb477470000-7fb4774ed000 rw-p", "7fb477471000-7fb4774ed000 r--p", 1)
	cut, _, _ := strings.Cut(amd64.maps, "7fb477463000-7fb4774ed000")
	for _, test := range []struct {
		name  string
		of    recorded
		maps  string // empty: as recorded
		mode  string
		fails string // in the error; empty: none
	}{
		{"protected", amd64, "", "r--p", ""},
		{"protected, under qemu-user", arm64, "", "r--p", ""},
		{"not protected", amd64, "", "rw-p", "0x7fb477463000-0x7fb4774ed000 is mapped rw-p, not r--p"},
		{"not protected, under qemu-user", arm64, "", "rw-p", "0x550045a000-0x55004e4000 is mapped rw-p"},
		{"executable", amd64, "", "r-xp", "is mapped r-xp"},
		{"shared", amd64, "", "r--s", "is mapped r--s"},
		{"protected in two pieces", amd64, two, "", ""},
		{"protected at the beginning only", amd64, half, "", "0x7fb477470000-0x7fb4774ed000 is mapped rw-p"},
		{"a hole", amd64, gap, "", "nothing is mapped at 0x7fb477470000"},
		{"an end", amd64, cut, "", "nothing is mapped at 0x7fb477463000"},
		{"another program", recorded{"/bin/other", amd64.headers, amd64.maps}, "", "r--p", "of /bin/other is not mapped"},
		{"no maps", amd64, "\n", "", "maps: "},
		{"no RELRO", recorded{amd64.path, amd64.headers[:4], amd64.maps}, "", "r--p", "has no PT_GNU_RELRO"},
	} {
		maps := test.maps
		if maps == "" {
			maps = strings.Replace(test.of.maps, "PROTECTED", test.mode, 1)
		}
		err := Check(test.of.file(elf.ET_DYN), test.of.path, strings.NewReader(maps), page)
		if (err == nil) != (test.fails == "") || err != nil && !strings.Contains(err.Error(), test.fails) {
			t.Errorf("%s: %v, want an error with %q", test.name, err, test.fails)
		}
	}
}

// Its beginning is rounded down, and its end, too: what shares a page with other data stays writable.
func TestCheckRounds(t *testing.T) {
	fixed := recorded{path: "/p", headers: []elf.ProgHeader{
		{Type: elf.PT_LOAD, Vaddr: 0x400000},
		{Type: elf.PT_GNU_RELRO, Vaddr: 0x401f00, Memsz: 0x1200},
	}, maps: `400000-401000 r-xp 00000000 fe:00 1 /p
401000-403000 PROTECTED 00001000 fe:00 1 /p
403000-404000 rw-p 00003000 fe:00 1 /p
`}
	for mode, want := range map[string]bool{"r--p": true, "rw-p": false} {
		maps := strings.Replace(fixed.maps, "PROTECTED", mode, 1)
		err := Check(fixed.file(elf.ET_EXEC), fixed.path, strings.NewReader(maps), 0x1000)
		if (err == nil) != want {
			t.Errorf("%s: %v", mode, err)
		}
	}
	small := fixed
	small.headers = slices.Clone(fixed.headers)
	small.headers[1].Memsz = 0x20
	err := Check(small.file(elf.ET_EXEC), small.path, strings.NewReader(""), 0x1000)
	if err == nil || !strings.Contains(err.Error(), "no whole page") {
		t.Errorf("a segment smaller than a page: %v", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(amd64.maps)
	f.Add("1-2 r--p 0 0:0 0 /a b\n")
	f.Add("-\n")
	f.Fuzz(func(t *testing.T, maps string) {
		mappings, err := parse(strings.NewReader(maps))
		if err == nil && len(mappings) > strings.Count(maps, "\n")+1 {
			t.Errorf("%d mappings of %q", len(mappings), maps)
		}
	})
}
