#define ALIGN 2
#define TLS tls_2
#include "tls_body.h"
