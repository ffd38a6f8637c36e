/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The 8254 timer of a PC, and the port that lets its third channel run and says where it is (0x61). Channel 0 is
 * interrupt 0, channel 1 refreshed memory once, channel 2 is the loudspeaker and what kernels measure with.
 * Manual: Intel 82C54 data sheet (231244). Ports: 0x40 to 0x43, 0x61.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define PIT_HZ 1193182u
#define PIT_CHANNELS 3

struct pit_channel {
	uint8_t mode, access;
	bool bcd;
	bool gate;
	bool loaded;          /* a count has been written since the mode was */
	bool triggered;       /* in modes 1 and 5: the gate has started it */
	bool high_next_write; /* of a count that is written in two bytes */
	bool high_next_read;
	bool status_latched;
	uint8_t count_latched; /* bytes of the latched count that are still to be read */
	uint8_t low, status;
	uint16_t latched;
	uint32_t count;   /* 1 to 65536 */
	uint64_t start;   /* in counts since the VM's start; counting began then */
	uint64_t stopped; /* counts done when the gate went low, in modes that wait for it */
};

struct pit {
	struct pit_channel channel[PIT_CHANNELS];
	bool speaker;
	uint64_t edges; /* rising edges of channel 0 that were taken since its count was written */
};

void pit_reset(struct pit *p);

/* The time of the next rising edge of channel 0 that has not been taken, NEVER if there is none. */
uint64_t pit_next(const struct pit *p);
void pit_take(struct pit *p, uint64_t now);

uint8_t pit_read(struct pit *p, uint16_t port, uint64_t now);
void pit_write(struct pit *p, uint16_t port, uint8_t value, uint64_t now);
