/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "host/hash.h"

#include <gcrypt.h>
#include <stdio.h>

bool hash_sha256(const void *data, size_t size, char out[65])
{
	unsigned char digest[32];

	if (!gcry_check_version(NULL))
		return false;
	gcry_md_hash_buffer(GCRY_MD_SHA256, digest, data, size);
	for (size_t i = 0; i < sizeof(digest); i++)
		snprintf(out + 2 * i, 3, "%02x", digest[i]);
	return true;
}
