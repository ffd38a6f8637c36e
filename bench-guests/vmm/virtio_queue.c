/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Split queues (VIRTIO 1.1, 2.6). The guest may change its memory at any time: each field is read once, and what was
 * read is what is checked.
 */
#include "vmm/virtio.h"

enum { HAS_NEXT = 1, IS_WRITABLE = 2, NO_INTERRUPT = 1 };

static void *rings_at(const struct virtio *v, uint64_t at, uint64_t size, uint64_t align)
{
	return at % align ? NULL : v->memory(v->memory_arg, at, size);
}

bool virtio_queue_enable(struct virtio *v, struct virtio_queue *q)
{
	uint64_t n = q->size;

	if (!n || n > VIRTIO_QUEUE_SIZE || n & (n - 1))
		return false;
	q->available = rings_at(v, q->available_at, sizeof(*q->available) + n * sizeof(q->available->head[0]), 2);
	q->used = rings_at(v, q->used_at, sizeof(*q->used) + n * sizeof(q->used->chain[0]), 4);
	q->descriptors = rings_at(v, q->descriptors_at, n * sizeof(*q->descriptors), 16);
	if (!q->available || !q->used)
		q->descriptors = NULL;
	return q->descriptors;
}

/* ---- Taking ---- */

/* How many chains wait; more than the queue has are none. */
static uint16_t waiting(const struct virtio_queue *q)
{
	return (uint16_t)(__atomic_load_n(&q->available->index, __ATOMIC_ACQUIRE) - q->next_available);
}

bool virtio_has(const struct virtio *v, unsigned queue)
{
	const struct virtio_queue *q = &v->queue[queue];

	return virtio_is_running(v) && q->descriptors && waiting(q);
}

static struct virtio_descriptor read_descriptor(const struct virtio_queue *q, unsigned number)
{
	const volatile struct virtio_descriptor *d = &q->descriptors[number];

	return (struct virtio_descriptor){d->address, d->size, d->flags, d->next};
}

static bool add_piece(const struct virtio *v, struct virtio_chain *c, const struct virtio_descriptor *d)
{
	bool writable = d->flags & IS_WRITABLE;
	uint8_t *data = v->memory(v->memory_arg, d->address, d->size);

	if (!data || d->flags & ~(HAS_NEXT | IS_WRITABLE) || (!writable && c->readable != c->pieces))
		return false;
	c->piece[c->pieces++] = (struct virtio_piece){data, d->size};
	c->readable += !writable;
	return true;
}

/* A chain has no more descriptors than its queue, else it bites its own tail. */
static bool read_chain(const struct virtio *v, const struct virtio_queue *q, uint16_t head, struct virtio_chain *c)
{
	struct virtio_descriptor d = {.flags = HAS_NEXT, .next = head};

	*c = (struct virtio_chain){.head = head};
	while (d.flags & HAS_NEXT) {
		if (d.next >= q->size || c->pieces == q->size)
			return false;
		d = read_descriptor(q, d.next);
		if (!add_piece(v, c, &d))
			return false;
	}
	return true;
}

struct virtio_chain *virtio_take(struct virtio *v, unsigned queue)
{
	struct virtio_queue *q = &v->queue[queue];
	uint16_t head;

	if (!virtio_has(v, queue))
		return NULL;
	head = __atomic_load_n(&q->available->head[q->next_available % q->size], __ATOMIC_RELAXED);
	if (waiting(q) > q->size || !read_chain(v, q, head, &v->chain)) {
		virtio_break(v);
		return NULL;
	}
	q->next_available++;
	return &v->chain;
}

/* The guest sees the entry before it sees that it is there. */
void virtio_give(struct virtio *v, unsigned queue)
{
	struct virtio_queue *q = &v->queue[queue];
	unsigned at = q->next_used++ % q->size;

	q->used->chain[at].head = v->chain.head;
	q->used->chain[at].written = v->chain.written;
	__atomic_store_n(&q->used->index, q->next_used, __ATOMIC_RELEASE);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (!(__atomic_load_n(&q->available->flags, __ATOMIC_RELAXED) & NO_INTERRUPT))
		virtio_interrupt(v, VIRTIO_FOR_QUEUE);
}

/* ---- Reading and writing ---- */

static uint8_t *next(struct virtio_chain *c, unsigned end, uint32_t max, uint32_t *size)
{
	uint8_t *data;

	while (c->at < end && c->offset == c->piece[c->at].size) {
		c->at++;
		c->offset = 0;
	}
	if (c->at >= end || !max)
		return NULL;
	data = c->piece[c->at].data + c->offset;
	*size = c->piece[c->at].size - c->offset;
	if (*size > max)
		*size = max;
	c->offset += *size;
	return data;
}

const uint8_t *virtio_next_readable(struct virtio_chain *c, uint32_t max, uint32_t *size)
{
	return next(c, c->readable, max, size);
}

uint8_t *virtio_next_writable(struct virtio_chain *c, uint32_t max, uint32_t *size)
{
	uint8_t *data;

	if (c->at < c->readable) {
		c->at = c->readable;
		c->offset = 0;
	}
	data = next(c, c->pieces, max, size);
	if (data)
		c->written += *size;
	return data;
}

bool virtio_get(struct virtio_chain *c, void *to, uint32_t size)
{
	uint8_t *at = to;
	const uint8_t *data;

	for (uint32_t n; size && (data = virtio_next_readable(c, size, &n)); at += n, size -= n)
		__builtin_memcpy(at, data, n);
	return !size;
}

bool virtio_put(struct virtio_chain *c, const void *from, uint32_t size)
{
	const uint8_t *at = from;
	uint8_t *data;

	for (uint32_t n; size && (data = virtio_next_writable(c, size, &n)); at += n, size -= n)
		__builtin_memcpy(data, at, n);
	return !size;
}

static uint64_t left(const struct virtio_chain *c, unsigned from, unsigned to)
{
	uint64_t size = 0;

	for (unsigned n = from < c->at ? c->at : from; n < to; n++)
		size += c->piece[n].size - (n == c->at ? c->offset : 0);
	return size;
}

uint64_t virtio_readable(const struct virtio_chain *c)
{
	return left(c, 0, c->readable);
}

uint64_t virtio_writable(const struct virtio_chain *c)
{
	return left(c, c->readable, c->pieces);
}

_Static_assert(sizeof(struct virtio_descriptor) == 16, "VIRTIO 1.1, 2.6.5");
_Static_assert(offsetof(struct virtio_available, head) == 4, "VIRTIO 1.1, 2.6.6");
_Static_assert(offsetof(struct virtio_used, chain) == 4, "VIRTIO 1.1, 2.6.8");
