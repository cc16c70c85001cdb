package engine

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
)

// probe is a static program of one architecture that asks the kernel for the machine's
// name, uname(2), and exits with its second letter. The kernel's own name of the machine
// says that the kernel runs the program: 8 of x86_64, a of aarch64, also in a 32-bit
// program. An emulator names the machine that it emulates: i686, armv7l.
type probe struct {
	arch     string // GOARCH
	machine  elf.Machine
	flags    uint32 // e_flags: Linux runs no ARM program without the version of its ABI
	native   byte   // the second letter where the kernel runs it
	emulated string // second letters that emulators give
	code     []byte
}

// probes are by the engine's architecture: that itself, and the 32-bit one of its CPU.
//
// In struct new_utsname, linux/utsname.h, fields have 65 bytes and machine is the fifth:
// its second letter is byte 261. Numbers of system calls are those of unistd.h.
var probes = map[string][]probe{
	"amd64": {
		{arch: "amd64", machine: elf.EM_X86_64, native: '8', code: []byte{
			0x48, 0x81, 0xec, 0x90, 0x01, 0x00, 0x00, // sub $400, %rsp
			0x48, 0x89, 0xe7, // mov %rsp, %rdi
			0xb8, 0x3f, 0x00, 0x00, 0x00, // mov $63, %eax: uname
			0x0f, 0x05, // syscall
			0x0f, 0xb6, 0xbc, 0x24, 0x05, 0x01, 0x00, 0x00, // movzbl 261(%rsp), %edi
			0xb8, 0x3c, 0x00, 0x00, 0x00, // mov $60, %eax: exit
			0x0f, 0x05, // syscall
		}},
		{arch: "386", machine: elf.EM_386, native: '8', emulated: "3456", code: []byte{
			0x81, 0xec, 0x90, 0x01, 0x00, 0x00, // sub $400, %esp
			0x89, 0xe3, // mov %esp, %ebx
			0xb8, 0x7a, 0x00, 0x00, 0x00, // mov $122, %eax: uname
			0xcd, 0x80, // int $0x80
			0x0f, 0xb6, 0x9c, 0x24, 0x05, 0x01, 0x00, 0x00, // movzbl 261(%esp), %ebx
			0xb8, 0x01, 0x00, 0x00, 0x00, // mov $1, %eax: exit
			0xcd, 0x80, // int $0x80
		}},
	},
	"arm64": {
		{arch: "arm64", machine: elf.EM_AARCH64, native: 'a', code: []byte{
			0xff, 0x43, 0x06, 0xd1, // sub sp, sp, #400
			0xe0, 0x03, 0x00, 0x91, // mov x0, sp
			0x08, 0x14, 0x80, 0xd2, // mov x8, #160: uname
			0x01, 0x00, 0x00, 0xd4, // svc #0
			0xe0, 0x17, 0x44, 0x39, // ldrb w0, [sp, #261]
			0xa8, 0x0b, 0x80, 0xd2, // mov x8, #93: exit
			0x01, 0x00, 0x00, 0xd4, // svc #0
		}},
		{arch: "arm", machine: elf.EM_ARM, flags: 0x05000000, native: 'a', emulated: "r", code: []byte{
			0x19, 0xde, 0x4d, 0xe2, // sub sp, sp, #400
			0x0d, 0x00, 0xa0, 0xe1, // mov r0, sp
			0x7a, 0x70, 0xa0, 0xe3, // mov r7, #122: uname
			0x00, 0x00, 0x00, 0xef, // svc #0
			0x05, 0x01, 0xdd, 0xe5, // ldrb r0, [sp, #261]
			0x01, 0x70, 0xa0, 0xe3, // mov r7, #1: exit
			0x00, 0x00, 0x00, 0xef, // svc #0
		}},
	},
}

// Where the one loaded segment of a probe lies: at a multiple of the largest page, 64 KiB on arm64.
const (
	probeAddress = 0x400000
	probeAlign   = 0x10000
)

// program is the ELF file: a header, two program headers and the code, all in one
// segment, elf(5). Without PT_GNU_STACK the kernel would ask for an executable stack,
// which a hardened one refuses.
func (p probe) program() ([]byte, error) {
	ident := [elf.EI_NIDENT]byte{0x7f, 'E', 'L', 'F', elf.EI_CLASS: byte(elf.ELFCLASS64),
		elf.EI_DATA: byte(elf.ELFDATA2LSB), elf.EI_VERSION: byte(elf.EV_CURRENT)}
	var parts []any
	if p.machine == elf.EM_X86_64 || p.machine == elf.EM_AARCH64 {
		parts = p.headers64(ident)
	} else {
		ident[elf.EI_CLASS] = byte(elf.ELFCLASS32)
		parts = p.headers32(ident)
	}
	var file bytes.Buffer
	for _, part := range append(parts, p.code) {
		if err := binary.Write(&file, binary.LittleEndian, part); err != nil {
			return nil, err
		}
	}
	return file.Bytes(), nil
}

func (p probe) headers64(ident [elf.EI_NIDENT]byte) []any {
	const header, segment, segments = 64, 56, 2
	start := uint64(header + segments*segment)
	size := start + uint64(len(p.code))
	return []any{
		elf.Header64{Ident: ident, Type: uint16(elf.ET_EXEC), Machine: uint16(p.machine),
			Version: uint32(elf.EV_CURRENT), Flags: p.flags, Entry: probeAddress + start,
			Ehsize: header, Phoff: header, Phentsize: segment, Phnum: segments},
		elf.Prog64{Type: uint32(elf.PT_LOAD), Flags: uint32(elf.PF_R | elf.PF_X), Align: probeAlign,
			Vaddr: probeAddress, Paddr: probeAddress, Filesz: size, Memsz: size},
		elf.Prog64{Type: uint32(elf.PT_GNU_STACK), Flags: uint32(elf.PF_R | elf.PF_W)},
	}
}

func (p probe) headers32(ident [elf.EI_NIDENT]byte) []any {
	const header, segment, segments = 52, 32, 2
	start := uint32(header + segments*segment)
	size := start + uint32(len(p.code))
	return []any{
		elf.Header32{Ident: ident, Type: uint16(elf.ET_EXEC), Machine: uint16(p.machine),
			Version: uint32(elf.EV_CURRENT), Flags: p.flags, Entry: probeAddress + start,
			Ehsize: header, Phoff: header, Phentsize: segment, Phnum: segments},
		elf.Prog32{Type: uint32(elf.PT_LOAD), Flags: uint32(elf.PF_R | elf.PF_X), Align: probeAlign,
			Vaddr: probeAddress, Paddr: probeAddress, Filesz: size, Memsz: size},
		elf.Prog32{Type: uint32(elf.PT_GNU_STACK), Flags: uint32(elf.PF_R | elf.PF_W)},
	}
}
