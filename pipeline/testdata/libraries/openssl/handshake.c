/* TLS 1.3 between two ends in memory, with a certificate that is made here. */
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#define MUST(condition) do { if (!(condition)) return __LINE__; } while (0)

/* certify makes a key and a certificate that is signed with it. */
static int certify(EVP_PKEY **key, X509 **certificate) {
	*key = EVP_EC_gen("P-256");
	*certificate = X509_new();
	MUST(*key && *certificate);
	X509 *x = *certificate;
	X509_NAME *name = X509_get_subject_name(x);
	MUST(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"test", -1, -1, 0));
	MUST(X509_set_version(x, X509_VERSION_3) && ASN1_INTEGER_set(X509_get_serialNumber(x), 1));
	MUST(X509_set_issuer_name(x, name) && X509_set_pubkey(x, *key));
	MUST(X509_gmtime_adj(X509_getm_notBefore(x), 0) && X509_gmtime_adj(X509_getm_notAfter(x), 3600));
	MUST(X509_sign(x, *key, EVP_sha256()));
	return 0;
}

int handshake(void) {
	EVP_PKEY *key;
	X509 *certificate;
	int line = certify(&key, &certificate);
	if (line)
		return line;
	SSL_CTX *of_server = SSL_CTX_new(TLS_server_method()), *of_client = SSL_CTX_new(TLS_client_method());
	MUST(of_server && of_client);
	MUST(SSL_CTX_use_certificate(of_server, certificate) == 1 && SSL_CTX_use_PrivateKey(of_server, key) == 1);
	MUST(X509_STORE_add_cert(SSL_CTX_get_cert_store(of_client), certificate));
	SSL_CTX_set_verify(of_client, SSL_VERIFY_PEER, 0);
	SSL *server = SSL_new(of_server), *client = SSL_new(of_client);
	BIO *one, *other;
	MUST(server && client && BIO_new_bio_pair(&one, 0, &other, 0));
	SSL_set_bio(server, one, one);
	SSL_set_bio(client, other, other);
	SSL_set_accept_state(server);
	SSL_set_connect_state(client);
	for (int i = 0; i < 10 && !(SSL_is_init_finished(server) && SSL_is_init_finished(client)); i++)
		SSL_do_handshake(client), SSL_do_handshake(server);
	MUST(SSL_is_init_finished(client) && SSL_version(client) == TLS1_3_VERSION);
	char got[5];
	MUST(SSL_write(client, "hello", 5) == 5 && SSL_read(server, got, 5) == 5 && got[4] == 'o');
	return 0;
}
