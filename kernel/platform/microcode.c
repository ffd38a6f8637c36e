/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "platform/microcode.h"

#include "lib/bits.h"
#include "lib/string.h"

struct header {
	u32 version, revision, date, signature, checksum, loader, platforms, data_size, total_size, reserved[3];
};

/* Behind the data, if total_size has room for it: more signatures of CPUs that the update is for. */
struct extension {
	u32 count, checksum, reserved[3];
};

struct signature {
	u32 signature, platforms, checksum;
};

_Static_assert(sizeof(struct header) == MICROCODE_HEADER_SIZE && sizeof(struct extension) == 20, "as in the manual");

#define HEADER_VERSION 1
#define LOADER_VERSION 1
#define DEFAULT_DATA_SIZE 2000 /* where the header says 0 */
#define DEFAULT_TOTAL_SIZE 2048
#define TOTAL_SIZE_UNIT 1024

static struct header read_header(const void *blob)
{
	struct header h;
	memcpy(&h, blob, sizeof(h));
	if (!h.data_size) {
		h.data_size = DEFAULT_DATA_SIZE;
		h.total_size = DEFAULT_TOTAL_SIZE;
	}
	return h;
}

/* Where the extension is, and how much room it has. */
static u64 extension_offset(const struct header *h)
{
	return sizeof(*h) + (u64)h->data_size;
}
static u64 extension_size(const struct header *h)
{
	return h->total_size - extension_offset(h);
}

static u32 sum(const void *data, u64 size)
{
	u32 s = 0, word;
	for (u64 i = 0; i + sizeof(word) <= size; i += sizeof(word)) {
		memcpy(&word, (const u8 *)data + i, sizeof(word));
		s += word;
	}
	return s;
}

static bool sizes_fit(const struct header *h, u64 size)
{
	return is_aligned(h->data_size, sizeof(u32)) && is_aligned(h->total_size, TOTAL_SIZE_UNIT) &&
	       h->total_size <= size && extension_offset(h) <= h->total_size;
}

static struct extension read_extension(const void *blob, const struct header *h)
{
	struct extension x = {0};
	if (extension_size(h) >= sizeof(x))
		memcpy(&x, (const u8 *)blob + extension_offset(h), sizeof(x));
	return x;
}

static struct signature read_signature(const void *blob, const struct header *h, u32 n)
{
	struct signature s;
	memcpy(&s, (const u8 *)blob + extension_offset(h) + sizeof(struct extension) + (u64)n * sizeof(s), sizeof(s));
	return s;
}

/* The checksum of a signature is that which the header would have if the signature and its platforms were in the
 * header. So the three words have the same sum as those of the header. */
static bool extension_valid(const void *blob, const struct header *h)
{
	struct extension x = read_extension(blob, h);
	u64 size = sizeof(x) + (u64)x.count * sizeof(struct signature);

	if (!x.count)
		return true;
	if (size > extension_size(h) || sum((const u8 *)blob + extension_offset(h), size))
		return false;
	for (u32 i = 0; i < x.count; i++) {
		struct signature s = read_signature(blob, h, i);
		if (s.signature + s.platforms + s.checksum != h->signature + h->platforms + h->checksum)
			return false;
	}
	return true;
}

u64 microcode_size(const void *header, u64 size)
{
	if (size < sizeof(struct header))
		return 0;
	struct header h = read_header(header);
	/* Revision 0 is what a CPU without any update has. */
	bool known = h.version == HEADER_VERSION && h.loader == LOADER_VERSION && h.revision;
	return known && sizes_fit(&h, size) ? h.total_size : 0;
}

bool microcode_valid(const void *blob, u64 size)
{
	u64 total = microcode_size(blob, size);
	if (!total)
		return false;
	struct header h = read_header(blob);
	return !sum(blob, total) && extension_valid(blob, &h);
}

bool microcode_matches(const void *blob, u32 signature, unsigned platform)
{
	struct header h = read_header(blob);
	struct extension x = read_extension(blob, &h);

	if (h.signature == signature && h.platforms & bit(platform))
		return true;
	for (u32 i = 0; i < x.count; i++) {
		struct signature s = read_signature(blob, &h, i);
		if (s.signature == signature && s.platforms & bit(platform))
			return true;
	}
	return false;
}

u32 microcode_revision(const void *blob)
{
	return read_header(blob).revision;
}
