/* Four threads count with 8 bytes that are aligned to 4, as a long long in a struct is on
   i386, with 16 bytes, and with a struct of no size that a CPU knows. */
#include <pthread.h>
#include <stdint.h>

enum { THREADS = 4, ROUNDS = 20000 };

struct odd { char c[12]; };

static struct __attribute__((packed, aligned(4))) {
	uint32_t before;
	uint64_t eight;
} shared;
static struct odd odd;
#ifdef __SIZEOF_INT128__
static unsigned __int128 sixteen;
#endif

static void add_odd(void) {
	struct odd was, now;
	__atomic_load(&odd, &was, __ATOMIC_SEQ_CST);
	do {
		now = was;
		for (int i = 0; i < 12 && ++now.c[i] == 0; i++)
			;
	} while (!__atomic_compare_exchange(&odd, &was, &now, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST));
}

static void *work(void *unused) {
	for (int i = 0; i < ROUNDS; i++) {
		uint64_t was = __atomic_load_n(&shared.eight, __ATOMIC_SEQ_CST);
		while (!__atomic_compare_exchange_n(&shared.eight, &was, was + 0x100000001, 0,
				__ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
			;
		__atomic_fetch_add(&shared.eight, 0x100000001, __ATOMIC_RELAXED);
		add_odd();
#ifdef __SIZEOF_INT128__
		__atomic_fetch_add(&sixteen, ((unsigned __int128)1 << 64) + 1, __ATOMIC_SEQ_CST);
#endif
	}
	return unused;
}

/* count returns the line of what is wrong, or 0. */
int count(void) {
	pthread_t t[THREADS];
	for (int i = 0; i < THREADS; i++)
		if (pthread_create(&t[i], 0, work, 0))
			return __LINE__;
	for (int i = 0; i < THREADS; i++)
		pthread_join(t[i], 0);
	uint64_t n = THREADS * ROUNDS;
	if (shared.eight != 2 * n * 0x100000001)
		return __LINE__;
	if ((unsigned char)odd.c[0] + ((unsigned char)odd.c[1] << 8) + ((unsigned char)odd.c[2] << 16) != n)
		return __LINE__;
#ifdef __SIZEOF_INT128__
	if (sixteen != ((unsigned __int128)n << 64) + n)
		return __LINE__;
#endif
	return 0;
}
