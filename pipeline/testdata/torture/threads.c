#define _GNU_SOURCE
#include "threads.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include "_cgo_export.h"
#include "tls.h"

#define MOST 64
#define DEEP (600 << 10) /* bytes of stack; a thread has 1 MiB by PT_GNU_STACK */

static const struct tls *const all[] = {&tls_1, &tls_2, &tls_4, &tls_8, &tls_16, &tls_32};
#define EACH(t) for (const struct tls *const *t = all; t < all + sizeof all / sizeof *all; t++)

int check_thread(unsigned seed, int calls) {
	int bad = 0;
	EACH(t) (*t)->fill(seed);
	for (int i = 0; i < calls; i++) {
		bad += goCallback(i) != i + 1;
		EACH(t) bad += (*t)->wrong(seed);
	}
	return bad;
}

static int calls_of_each;

static void *thread(void *arg) {
	int bad = 0;
	EACH(t) bad += (*t)->fresh();
	bad += check_thread((unsigned)(uintptr_t)arg * 31, calls_of_each);
	bad += recurse(DEEP) == 0;
	bad += signal_self(SIGUSR1) != 0;
	bad += goCallback(1) != 2;
	return (void *)(intptr_t)bad;
}

int run_threads(int count, int calls) {
	pthread_t threads[MOST];
	int bad = 0;
	calls_of_each = calls;
	if (count > MOST)
		return -1;
	for (int i = 0; i < count; i++)
		if (pthread_create(&threads[i], 0, thread, (void *)(intptr_t)(i + 1)))
			return -1;
	for (int i = 0; i < count; i++) {
		void *result;
		pthread_join(threads[i], &result);
		bad += (int)(intptr_t)result;
	}
	return bad;
}

int recurse(int bytes) {
	volatile char frame[1024];
	memset((char *)frame, 1, sizeof frame);
	return bytes <= 0 ? frame[0] : frame[1] + recurse(bytes - (int)sizeof frame);
}

unsigned resolve(const char *name) {
	struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM}, *list;
	if (getaddrinfo(name, 0, &hints, &list))
		return 0;
	unsigned address = ntohl(((struct sockaddr_in *)list->ai_addr)->sin_addr.s_addr);
	freeaddrinfo(list);
	return address;
}

long long c_time(void) { return time(0); }

int signal_self(int number) { return pthread_kill(pthread_self(), number); }
