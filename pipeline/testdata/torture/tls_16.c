#define ALIGN 16
#define TLS tls_16
#include "tls_body.h"
