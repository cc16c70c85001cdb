package elfcheck

import (
	"bytes"
	"debug/elf"
	"errors"
	"fmt"
	"io"
)

// tlsFacts are those of the thread-local segment, PT_TLS, in which Go keeps the pointer g that every
// function of it needs (runtime.tlsg).
func (img *image) tlsFacts(f *Facts) error {
	found := false
	for _, p := range img.Progs {
		if p.Type != elf.PT_TLS {
			continue
		}
		if found {
			return errors.New("more than one PT_TLS: start-up code differs in which it believes")
		}
		if p.Memsz < p.Filesz {
			return errors.New("PT_TLS is larger in the file than in memory")
		}
		found = true
		f.TLSSize, f.TLSAlign = p.Memsz, p.Align
	}
	if img.Machine != elf.EM_386 {
		return nil
	}
	for _, p := range img.loads {
		if p.Flags&elf.PF_X == 0 {
			continue
		}
		if err := img.offsetsOfG(io.NewSectionReader(p, 0, int64(p.Filesz)), f); err != nil {
			return err
		}
	}
	return nil
}

// gAccess is how a position independent Go function of linux/386 begins after the linker has made the
// access local-exec: a call that fetches the program counter, mov $OFFSET,%reg, mov %gs:(%reg),%reg
// (cmd/internal/obj/x86/asm6.go, Intel SDM volume 2).
const (
	gAccessSize = 14 // bytes: e8 rel32 · c7 c0+r imm32 · 65 8b modrm
	opCall      = 0xe8
	opMovImm    = 0xc7
	prefixGS    = 0x65
	opMovLoad   = 0x8b
)

// offsetsOfG finds the first offset from the thread pointer at which Go code looks for g, and the first
// that differs from it.
func (img *image) offsetsOfG(code io.Reader, f *Facts) error {
	buf := make([]byte, scanChunk+gAccessSize-1)
	for kept := 0; ; {
		n, err := io.ReadFull(code, buf[kept:])
		window := buf[:kept+n]
		for at := 0; ; at++ {
			next := bytes.Index(window[at:], []byte{prefixGS, opMovLoad})
			if next < 0 {
				break
			}
			at += next
			if offset, ok := gOffset(img, window, at-11); ok {
				f.addG(offset)
			}
		}
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("code: %w", err)
		}
		kept = copy(buf, window[len(window)-(gAccessSize-1):])
	}
}

// gOffset decodes a gAccess that starts at a place of the code.
func gOffset(img *image, code []byte, at int) (offset int32, ok bool) {
	if at < 0 || at+gAccessSize > len(code) {
		return 0, false
	}
	c := code[at : at+gAccessSize]
	register := c[6] & 7
	if c[0] != opCall || c[5] != opMovImm || c[6]&^7 != 0xc0 || c[13] != register<<3|register {
		return 0, false
	}
	return int32(img.ByteOrder.Uint32(c[7:11])), true
}

func (f *Facts) addG(offset int32) {
	if len(f.GOffsets) == 0 || len(f.GOffsets) == 1 && f.GOffsets[0] != offset {
		f.GOffsets = append(f.GOffsets, offset)
	}
}

// checkTLS: the thread-local segment must have room for Go's g, at a place of its own. The thread
// pointer of 386 and amd64 is the end of the segment (ELF Handling For Thread-Local Storage §3,
// variant II), and what begins there belongs to the C library.
func (w Want) checkTLS(f Facts, r *findings) {
	const rule = "tls"
	word := uint64(8)
	if f.Class == elf.ELFCLASS32.String() {
		word = 4
	}
	if f.TLSAlign&(f.TLSAlign-1) != 0 {
		r.add(rule, "the thread-local segment is aligned to %d bytes, which is no power of two: look at the linker", f.TLSAlign)
		return
	}
	if f.Go != nil && f.TLSSize > 0 && (f.TLSSize < word || f.TLSAlign < word) {
		r.add(rule, "the thread-local segment (%d bytes, aligned to %d) cannot hold Go's pointer g of %d bytes: "+
			"look at the linker", f.TLSSize, f.TLSAlign, word)
	}
	size := int64(f.TLSSize+max(f.TLSAlign, 1)-1) &^ int64(max(f.TLSAlign, 1)-1)
	for _, g := range f.GOffsets {
		if at := int64(g); at%int64(word) != 0 || at < -size || at > -int64(word) || len(f.GOffsets) > 1 {
			r.add(rule, "Go's pointer g lies at %d from the thread pointer, over other data (segment of %d bytes): "+
				"lld gets Go's access wrong on linux/386; link as the plan does", g, size)
		}
	}
}
