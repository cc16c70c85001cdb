#define ALIGN 4
#define TLS tls_4
#include "tls_body.h"
