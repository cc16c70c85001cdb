/* The variables of one file, which defines ALIGN and TLS and includes this. */
#include <stdint.h>
#include "tls.h"

#define ZERO(n, a) static __thread unsigned char zero_##n[n] __attribute__((aligned(a)));
#define DATA(n, a) static __thread unsigned char data_##n[n] __attribute__((aligned(a))) = {FIRST};
SIZES(ZERO, ALIGN)
SIZES(DATA, ALIGN)

static void fill(unsigned char *p, int n, unsigned seed) {
	for (int i = 0; i < n; i++)
		p[i] = (unsigned char)(seed + 7 * n + i);
}

static int wrong(unsigned char *p, int n, unsigned seed) {
	int bad = 0;
	for (int i = 0; i < n; i++)
		bad += p[i] != (unsigned char)(seed + 7 * n + i);
	return bad;
}

static int fresh(unsigned char *p, int n, int align, int first) {
	int bad = (uintptr_t)p % align != 0;
	for (int i = 0; i < n; i++)
		bad += p[i] != (i == 0 ? first : 0);
	return bad;
}

#define FILL(n, a) fill(zero_##n, n, seed), fill(data_##n, n, seed + 1);
#define WRONG(n, a) bad += wrong(zero_##n, n, seed) + wrong(data_##n, n, seed + 1);
#define FRESH(n, a) bad += fresh(zero_##n, n, a, 0) + fresh(data_##n, n, a, FIRST);

static void fill_all(unsigned seed) { SIZES(FILL, ALIGN) }

static int wrong_all(unsigned seed) {
	int bad = 0;
	SIZES(WRONG, ALIGN)
	return bad;
}

static int fresh_all(void) {
	int bad = 0;
	SIZES(FRESH, ALIGN)
	return bad;
}

const struct tls TLS = {fill_all, wrong_all, fresh_all};
