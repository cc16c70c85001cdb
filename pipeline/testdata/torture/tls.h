/* Thread-local variables of 1 to 40 bytes in several alignments. Some are initialised
   (.tdata), some are zero (.tbss): the linker lays both out beside the word in which
   Go keeps its g. */
#define SIZES(X, a) \
	X(1, a) X(2, a) X(3, a) X(4, a) X(5, a) X(6, a) X(7, a) X(8, a) X(9, a) X(10, a) \
	X(11, a) X(12, a) X(13, a) X(14, a) X(15, a) X(16, a) X(17, a) X(18, a) X(19, a) X(20, a) \
	X(21, a) X(22, a) X(23, a) X(24, a) X(25, a) X(26, a) X(27, a) X(28, a) X(29, a) X(30, a) \
	X(31, a) X(32, a) X(33, a) X(34, a) X(35, a) X(36, a) X(37, a) X(38, a) X(39, a) X(40, a)

#define FIRST 0x5a /* of an initialised variable; the rest is zero */

/* For the variables of a file: fill writes a pattern of its own for each thread into every
   byte, wrong counts the bytes that differ from it, fresh counts what is wrong in a new
   thread (first values, alignment). */
struct tls {
	void (*fill)(unsigned seed);
	int (*wrong)(unsigned seed);
	int (*fresh)(void);
};

/* A file for each alignment: the linker puts those of the first right behind Go's g, with
   no gap, because they need no alignment. */
extern const struct tls tls_1, tls_2, tls_4, tls_8, tls_16, tls_32;
