/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A switch between the network cards of VMs. A frame for an address that a card was given goes to that card, every
 * other one to all; what a card does not fetch in time is lost.
 * Locking: none. Each pair of ports has a ring in each direction, which one thread writes and one reads.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { NET_PORTS = 8, NET_FRAME = 1518, NET_FRAMES = 32, NET_ADDRESS = 6, NET_RING_ALIGN = 4096 };

/* Whole pages, so that only those two can be given it who use it. */
struct net_ring {
	_Alignas(NET_RING_ALIGN) uint32_t written, read; /* frames since the start; the writer's, the reader's */
	bool waits; /* there may be frames; set by the writer, taken back by the reader */
	struct {
		uint16_t size;
		uint8_t data[NET_FRAME];
	} frame[NET_FRAMES];
};

struct net_switch {
	struct net_port {
		struct net_ring *from[NET_PORTS]; /* null: nobody is there */
		void (*wake)(void *arg);          /* there is a frame in a ring that had none */
		void *arg;
		bool connected;
		uint8_t turn;
	} port[NET_PORTS];
};

/*
 * Connects a port that is free, with net_switch_rings() rings for it and the ports that are connected. All is
 * connected before anything is sent.
 */
unsigned net_switch_rings(const struct net_switch *s);
void net_switch_connect(struct net_switch *s, unsigned port, struct net_ring *rings, void (*wake)(void *arg),
			void *arg);

void net_switch_address(unsigned port, uint8_t address[NET_ADDRESS]); /* the one its card is given */

void net_switch_send(struct net_switch *s, unsigned port, const uint8_t *frame, uint16_t size);

/* Is there a frame for the port? Fetches the next one, and returns its size, 0 if there is none. */
bool net_switch_has(const struct net_switch *s, unsigned port);
uint16_t net_switch_receive(struct net_switch *s, unsigned port, uint8_t frame[NET_FRAME]);
