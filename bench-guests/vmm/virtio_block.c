/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vmm/virtio_block.h"

enum { NUMBER = 2, CLASS = 0x018000 };
enum { FEATURE_PIECES = 1 << 2, FEATURE_FLUSH = 1 << 9 };
enum { READ = 0, WRITE = 1, FLUSH = 4, GET_ID = 8 };
enum { DONE, FAILED, UNKNOWN, STATUS_SIZE = 1 };
enum { CONFIG_PIECES = 12, PIECES_MAX = VIRTIO_QUEUE_SIZE - 2 }; /* besides the header and the status */

struct request {
	uint32_t type, unused;
	uint64_t sector;
};

static uint8_t config(struct virtio *v, unsigned at)
{
	const struct virtio_block *b = (const struct virtio_block *)v;

	if (at < sizeof(uint64_t))
		return (uint8_t)(disk_sectors(b->disk) >> 8 * at);
	return at == CONFIG_PIECES ? PIECES_MAX : 0;
}

/* The byte of a request's first sector, or one that no disk has. */
static uint64_t start_of(const struct request *r)
{
	return r->sector < ~0ul / DISK_SECTOR ? r->sector * DISK_SECTOR : ~0ul;
}

/* Everything that can be written but the last byte, which is the status. */
static uint8_t read_disk(struct virtio_block *b, struct virtio_chain *c, const struct request *r)
{
	uint64_t at = start_of(r), size = virtio_writable(c) - STATUS_SIZE;
	uint8_t *data;

	for (uint32_t n; size && (data = virtio_next_writable(c, size < DISK_PAGE ? (uint32_t)size : DISK_PAGE, &n));
	     at += n, size -= n)
		if (!disk_read(b->disk, at, data, n))
			return FAILED;
	return DONE;
}

static uint8_t write_disk(struct virtio_block *b, struct virtio_chain *c, const struct request *r)
{
	uint64_t at = start_of(r);
	const uint8_t *data;

	for (uint32_t n; (data = virtio_next_readable(c, DISK_PAGE, &n)); at += n)
		if (!disk_write(b->disk, at, data, n))
			return FAILED;
	return DONE;
}

static uint8_t get_id(struct virtio_chain *c)
{
	static const char id[20] = "image";

	return virtio_writable(c) == sizeof(id) + STATUS_SIZE && virtio_put(c, id, sizeof(id)) ? DONE : FAILED;
}

static uint8_t serve(struct virtio_block *b, struct virtio_chain *c, const struct request *r)
{
	if (r->type == READ)
		return read_disk(b, c, r);
	if (r->type == WRITE)
		return write_disk(b, c, r);
	if (r->type == GET_ID)
		return get_id(c);
	return r->type == FLUSH ? DONE : UNKNOWN; /* what was written stays as long as the VM */
}

/* The status is the last byte, however much of what is before it was written. */
static bool put_status(struct virtio_chain *c, uint8_t status)
{
	struct virtio_piece *last = &c->piece[c->pieces - 1];

	if (c->pieces == c->readable || !last->size)
		return false;
	last->data[last->size - 1] = status;
	c->written++;
	return true;
}

static void notify(struct virtio *v, unsigned queue)
{
	struct virtio_block *b = (struct virtio_block *)v;
	struct virtio_chain *c;

	while ((c = virtio_take(v, queue))) {
		struct request r;

		if (!virtio_get(c, &r, sizeof(r)) || !virtio_writable(c) || !put_status(c, serve(b, c, &r))) {
			virtio_break(v);
			return;
		}
		virtio_give(v, queue);
	}
}

static const struct virtio_kind kind = {
	.number = NUMBER,
	.class_code = CLASS,
	.queues = 1,
	.features = FEATURE_PIECES | FEATURE_FLUSH,
	.config = config,
	.notify = notify,
};

bool virtio_block_add(struct virtio_block *b, struct disk *disk, struct pci *bus, virtio_memory_fn *memory,
		      const void *memory_arg)
{
	b->disk = disk;
	return virtio_add(&b->virtio, &kind, bus, memory, memory_arg);
}

_Static_assert(offsetof(struct virtio_block, virtio) == 0, "a virtio device begins with what all have in common");
