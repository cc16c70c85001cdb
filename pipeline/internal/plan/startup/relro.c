/* Makes the relocated tables of addresses read-only before main: RELRO that holds.

   The linker sorts what only the loader writes into PT_GNU_RELRO and leaves it to the
   loader to protect that. A static-PIE is its own loader, and musl's start-up for it
   (crt/rcrt1.c) relocates and protects nothing: /proc/PID/maps says "rw-p".
   A constructor runs when relocation is over, and before Go's runtime.

   Rounding is that of musl's dynamic linker (ldso/dynlink.c, reloc_all): a page counts
   only when all of it is protected. An engine that refuses mprotect(2) here would leave
   a promise of the gate unkept: the program ends, as a dynamic one would. */
#include <errno.h>
#include <link.h>
#include <stdint.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <unistd.h>

static int protect(struct dl_phdr_info *program, size_t size, void *unused) {
	uintptr_t page = getauxval(AT_PAGESZ);
	(void)size, (void)unused;
	for (int i = 0; i < program->dlpi_phnum; i++) {
		const ElfW(Phdr) *h = &program->dlpi_phdr[i];
		if (h->p_type != PT_GNU_RELRO)
			continue;
		uintptr_t start = (program->dlpi_addr + h->p_vaddr) & -page;
		uintptr_t end = (program->dlpi_addr + h->p_vaddr + h->p_memsz) & -page;
		if (end > start && mprotect((void *)start, end - start, PROT_READ) && errno != ENOSYS) {
			static const char text[] = "mprotect of PT_GNU_RELRO was refused\n";
			(void)!write(2, text, sizeof text - 1);
			_exit(127);
		}
	}
	return 0;
}

__attribute__((constructor)) static void relro(void) { dl_iterate_phdr(protect, 0); }
