/* libatomic: what compilers call where a CPU has no instruction for an atomic access, such
   as 8 bytes that are aligned to 4 (clang on i386) or 16 bytes. The functions and their
   arguments are those of https://gcc.gnu.org/wiki/Atomic/GCCMM/LIbrary.

   GCC's own libatomic is compiled for glibc: it locks by weak references to pthread_mutex_lock,
   which a static program leaves null (a crash on arm64), and on x86 chooses at start-up by
   what the CPU can (IFUNC), which musl does not support. Here an object that the CPU can access atomically always is, and all others are
   under a lock, chosen by address; so one object is never accessed both ways. The order is
   always the strongest: a weaker one that is asked for is no more than a permission. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* The names are those of builtin functions, which cannot be defined under them. */
#define EXPORTED(type, name, arguments) \
	type c##name arguments __asm__(#name); \
	type c##name arguments

/* A spinlock is held for a copy of some bytes. Locks are a cache line apart. */
enum { LOCKS = 64, LINE = 64 };
static struct { _Alignas(LINE) _Atomic(unsigned) held; } locks[LOCKS];

static _Atomic(unsigned) *lock_of(const volatile void *object) {
	uintptr_t a = (uintptr_t)object >> 3;
	return &locks[(a ^ a >> 6) % LOCKS].held;
}

static void acquire(_Atomic(unsigned) *l) {
	while (__c11_atomic_exchange(l, 1, __ATOMIC_ACQUIRE))
		while (__c11_atomic_load(l, __ATOMIC_RELAXED))
			;
}

static void release(_Atomic(unsigned) *l) { __c11_atomic_store(l, 0, __ATOMIC_RELEASE); }

/* by_cpu calls a macro for the type that the CPU accesses at once, if there is one. */
#define ALIGNED(pointer, type) ((uintptr_t)(pointer) % sizeof(type) == 0)
#define CASE(type, call) \
	case sizeof(type): \
		if (ALIGNED(object, type) && __atomic_always_lock_free(sizeof(type), 0)) \
			call(type); \
		break;
#define BY_CPU(call) \
	switch (size) { CASE(uint8_t, call) CASE(uint16_t, call) CASE(uint32_t, call) CASE(uint64_t, call) }

EXPORTED(bool, __atomic_is_lock_free, (size_t size, const volatile void *object)) {
#define YES(type) return true
	BY_CPU(YES)
	return false;
}

EXPORTED(void, __atomic_load, (size_t size, const volatile void *object, void *result, int order)) {
#define LOAD(type) do { \
		type v = __c11_atomic_load((_Atomic(type) *)object, __ATOMIC_SEQ_CST); \
		memcpy(result, &v, sizeof v); \
		return; \
	} while (0)
	BY_CPU(LOAD)
	_Atomic(unsigned) *l = lock_of(object);
	acquire(l);
	memcpy(result, (const void *)object, size);
	release(l);
}

EXPORTED(void, __atomic_store, (size_t size, volatile void *object, const void *value, int order)) {
#define STORE(type) do { \
		type v; \
		memcpy(&v, value, sizeof v); \
		__c11_atomic_store((_Atomic(type) *)object, v, __ATOMIC_SEQ_CST); \
		return; \
	} while (0)
	BY_CPU(STORE)
	_Atomic(unsigned) *l = lock_of(object);
	acquire(l);
	memcpy((void *)object, value, size);
	release(l);
}

EXPORTED(void, __atomic_exchange,
	(size_t size, volatile void *object, const void *value, void *result, int order)) {
#define EXCHANGE(type) do { \
		type v; \
		memcpy(&v, value, sizeof v); \
		v = __c11_atomic_exchange((_Atomic(type) *)object, v, __ATOMIC_SEQ_CST); \
		memcpy(result, &v, sizeof v); \
		return; \
	} while (0)
	BY_CPU(EXCHANGE)
	_Atomic(unsigned) *l = lock_of(object);
	acquire(l);
	memcpy(result, (const void *)object, size);
	memcpy((void *)object, value, size);
	release(l);
}

EXPORTED(bool, __atomic_compare_exchange,
	(size_t size, volatile void *object, void *expected, const void *value, int success, int failure)) {
#define COMPARE(type) do { \
		type e, v; \
		memcpy(&e, expected, sizeof e); \
		memcpy(&v, value, sizeof v); \
		bool same = __c11_atomic_compare_exchange_strong((_Atomic(type) *)object, &e, v, \
			__ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST); \
		memcpy(expected, &e, sizeof e); \
		return same; \
	} while (0)
	BY_CPU(COMPARE)
	_Atomic(unsigned) *l = lock_of(object);
	acquire(l);
	bool same = memcmp((const void *)object, expected, size) == 0;
	if (same)
		memcpy((void *)object, value, size);
	else
		memcpy(expected, (const void *)object, size);
	release(l);
	return same;
}

/* The same by size, where the compiler knows that. */
#define SIZED(n, type) \
	EXPORTED(type, __atomic_load_##n, (const volatile void *o, int order)) { \
		type v; \
		c__atomic_load(n, o, &v, order); \
		return v; \
	} \
	EXPORTED(void, __atomic_store_##n, (volatile void *o, type v, int order)) { \
		c__atomic_store(n, o, &v, order); \
	} \
	EXPORTED(type, __atomic_exchange_##n, (volatile void *o, type v, int order)) { \
		type was; \
		c__atomic_exchange(n, o, &v, &was, order); \
		return was; \
	} \
	EXPORTED(bool, __atomic_compare_exchange_##n, (volatile void *o, void *e, type v, int s, int f)) { \
		return c__atomic_compare_exchange(n, o, e, &v, s, f); \
	} \
	FETCH(n, type, add, was + v) \
	FETCH(n, type, sub, was - v) \
	FETCH(n, type, and, was & v) \
	FETCH(n, type, or, was | v) \
	FETCH(n, type, xor, was ^ v) \
	FETCH(n, type, nand, ~(was & v))

#define FETCH(n, type, what, sum) \
	EXPORTED(type, __atomic_fetch_##what##_##n, (volatile void *o, type v, int order)) { \
		type was, now; \
		c__atomic_load(n, o, &was, order); \
		do \
			now = sum; \
		while (!c__atomic_compare_exchange(n, o, &was, &now, order, order)); \
		return was; \
	} \
	EXPORTED(type, __atomic_##what##_fetch_##n, (volatile void *o, type v, int order)) { \
		type was = c__atomic_fetch_##what##_##n(o, v, order); \
		return sum; \
	}

SIZED(1, uint8_t)
SIZED(2, uint16_t)
SIZED(4, uint32_t)
SIZED(8, uint64_t)
#ifdef __SIZEOF_INT128__
SIZED(16, unsigned __int128)
#endif
