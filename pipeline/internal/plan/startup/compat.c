/* What Debian's libgcc, compiled for glibc, wants of it and musl does not have. It is an
   archive: a program that unwinds no stack has nothing of it.

   _dl_find_object(3), by which libgcc_eh finds how to unwind a function, in the form of
   glibc 2.35's <dlfcn.h>. A static program is one object; dl_iterate_phdr(3) tells of it. */
#include <link.h>
#include <stddef.h>
#include <stdint.h>

struct dl_find_object {
	unsigned long long flags;
	void *start, *end;
	void *link_map;
	void *eh_frame;
#if defined(__i386__)
	void *eh_dbase;
#elif defined(__arm__)
	int eh_count;
#endif
	unsigned long long reserved[7];
};

struct search {
	uintptr_t address;
	struct dl_find_object *found;
};

static int visit(struct dl_phdr_info *program, size_t size, void *data) {
	struct search *s = data;
	uintptr_t start = UINTPTR_MAX, end = 0;
	const ElfW(Phdr) *frames = 0;
	(void)size;
	for (int i = 0; i < program->dlpi_phnum; i++) {
		const ElfW(Phdr) *h = &program->dlpi_phdr[i];
		uintptr_t from = program->dlpi_addr + h->p_vaddr, to = from + h->p_memsz;
		if (h->p_type == PT_LOAD) {
			start = from < start ? from : start;
			end = to > end ? to : end;
		}
		if (h->p_type == PT_GNU_EH_FRAME)
			frames = h;
	}
	if (s->address < start || s->address >= end || !frames)
		return 0;
	*s->found = (struct dl_find_object){
		.start = (void *)start, .end = (void *)end,
		.eh_frame = (void *)(uintptr_t)(program->dlpi_addr + frames->p_vaddr),
	};
	return 1;
}

int _dl_find_object(void *address, struct dl_find_object *found) {
	struct search s = {(uintptr_t)address, found};
	return dl_iterate_phdr(visit, &s) ? 0 : -1;
}
