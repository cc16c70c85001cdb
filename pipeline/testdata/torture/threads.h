/* run_threads starts count threads in C, each of which calls into Go, and returns how
   many things went wrong in them; -1 says that a thread could not be started. */
int run_threads(int count, int calls);

/* check_thread does the same on the thread that calls it. */
int check_thread(unsigned seed, int calls);

/* recurse uses at least bytes of the C stack and returns the depth. */
int recurse(int bytes);

/* resolve asks the C library's resolver for the IPv4 address of a name, in host byte
   order; 0 says that there is none. */
unsigned resolve(const char *name);

/* c_time is time(2) in seconds. */
long long c_time(void);

/* signal_self sends a signal to the thread that calls it. */
int signal_self(int number);
