#include <nghttp2/nghttp2.h>
#include <string.h>

#define FIELD(name, value) {(uint8_t *)(name), (uint8_t *)(value), sizeof(name) - 1, sizeof(value) - 1, 0}

/* roundTrip returns the line of what is wrong, or 0. */
int roundTrip(void) {
	nghttp2_nv fields[] = {FIELD(":method", "GET"), FIELD(":path", "/x"), FIELD("own", "value")};
	nghttp2_hd_deflater *packer;
	nghttp2_hd_inflater *unpacker;
	if (nghttp2_hd_deflate_new(&packer, 4096) || nghttp2_hd_inflate_new(&unpacker))
		return __LINE__;
	uint8_t packed[256];
	nghttp2_ssize size = nghttp2_hd_deflate_hd2(packer, packed, sizeof packed, fields, 3);
	if (size <= 0 || size >= 30)
		return __LINE__;
	int found = 0;
	for (nghttp2_ssize at = 0; at < size;) {
		nghttp2_nv got;
		int flags = 0;
		nghttp2_ssize n = nghttp2_hd_inflate_hd3(unpacker, &got, &flags, packed + at, size - at, 1);
		if (n < 0)
			return __LINE__;
		at += n;
		if (flags & NGHTTP2_HD_INFLATE_EMIT) {
			if (got.valuelen != fields[found].valuelen || memcmp(got.value, fields[found].value, got.valuelen))
				return __LINE__;
			found++;
		}
	}
	nghttp2_hd_deflate_del(packer);
	nghttp2_hd_inflate_del(unpacker);
	return found == 3 ? 0 : __LINE__;
}
