#define ALIGN 1
#define TLS tls_1
#include "tls_body.h"
