#define ALIGN 8
#define TLS tls_8
#include "tls_body.h"
