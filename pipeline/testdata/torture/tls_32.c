#define ALIGN 32
#define TLS tls_32
#include "tls_body.h"
