/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vmm/net_switch.h"

#include <stddef.h>

enum { PORT_AT = NET_ADDRESS - 1 };

/* The first byte says that the address is nobody's else, and one card's. */
static const uint8_t address_base[NET_ADDRESS] = {0x02, 'H', 'e', 'd', 'r', 0};

void net_switch_address(unsigned port, uint8_t address[NET_ADDRESS])
{
	__builtin_memcpy(address, address_base, NET_ADDRESS);
	address[PORT_AT] = (uint8_t)port;
}

unsigned net_switch_rings(const struct net_switch *s)
{
	unsigned count = 0;

	for (unsigned n = 0; n < NET_PORTS; n++)
		count += 2 * s->port[n].connected;
	return count;
}

void net_switch_connect(struct net_switch *s, unsigned port, struct net_ring *rings, void (*wake)(void *arg),
			void *arg)
{
	for (unsigned n = 0; n < NET_PORTS; n++) {
		if (!s->port[n].connected)
			continue;
		s->port[n].from[port] = rings++;
		s->port[port].from[n] = rings++;
	}
	s->port[port].connected = true;
	s->port[port].wake = wake;
	s->port[port].arg = arg;
}

/* ---- Sending ---- */

static bool put(struct net_ring *r, const uint8_t *frame, uint16_t size)
{
	uint32_t at = r->written % NET_FRAMES;

	if (r->written - __atomic_load_n(&r->read, __ATOMIC_ACQUIRE) >= NET_FRAMES)
		return false;
	r->frame[at].size = size;
	__builtin_memcpy(r->frame[at].data, frame, size);
	__atomic_store_n(&r->written, r->written + 1, __ATOMIC_RELEASE);
	return true;
}

static void send_to(struct net_port *to, unsigned from, const uint8_t *frame, uint16_t size)
{
	struct net_ring *r = to->from[from];

	if (!r || !put(r, frame, size))
		return;
	if (!__atomic_exchange_n(&r->waits, true, __ATOMIC_SEQ_CST))
		to->wake(to->arg);
}

void net_switch_send(struct net_switch *s, unsigned port, const uint8_t *frame, uint16_t size)
{
	if (size < 2 * NET_ADDRESS || size > NET_FRAME)
		return;
	if (!__builtin_memcmp(frame, address_base, PORT_AT) && frame[PORT_AT] < NET_PORTS) {
		send_to(&s->port[frame[PORT_AT]], port, frame, size);
		return;
	}
	for (unsigned n = 0; n < NET_PORTS; n++)
		send_to(&s->port[n], port, frame, size);
}

/* ---- Receiving ---- */

static bool waits(const struct net_ring *r)
{
	return r && __atomic_load_n(&r->waits, __ATOMIC_RELAXED);
}

bool net_switch_has(const struct net_switch *s, unsigned port)
{
	for (unsigned n = 0; n < NET_PORTS; n++)
		if (waits(s->port[port].from[n]))
			return true;
	return false;
}

static bool is_empty(const struct net_ring *r)
{
	return __atomic_load_n(&r->written, __ATOMIC_SEQ_CST) == r->read;
}

/* The word is taken back before the last look, so that a frame that comes behind it sets it again. */
static bool is_at_rest(struct net_ring *r)
{
	if (!is_empty(r))
		return false;
	__atomic_store_n(&r->waits, false, __ATOMIC_SEQ_CST);
	if (is_empty(r))
		return true;
	__atomic_store_n(&r->waits, true, __ATOMIC_SEQ_CST);
	return false;
}

/* What others write is looked at once, and checked. */
static uint16_t take(struct net_ring *r, uint8_t frame[NET_FRAME])
{
	uint32_t at = r->read % NET_FRAMES;
	uint16_t size;

	if (is_at_rest(r))
		return 0;
	size = __atomic_load_n(&r->frame[at].size, __ATOMIC_RELAXED);
	if (size > NET_FRAME)
		size = NET_FRAME;
	__builtin_memcpy(frame, r->frame[at].data, size);
	__atomic_store_n(&r->read, r->read + 1, __ATOMIC_RELEASE);
	return size;
}

/* The rings take turns. */
uint16_t net_switch_receive(struct net_switch *s, unsigned port, uint8_t frame[NET_FRAME])
{
	struct net_port *p = &s->port[port];

	for (unsigned n = 0; n < NET_PORTS; n++) {
		struct net_ring *r = p->from[p->turn++ % NET_PORTS];
		uint16_t size = waits(r) ? take(r, frame) : 0;

		if (size)
			return size;
	}
	return 0;
}
