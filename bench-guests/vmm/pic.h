/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The two 8259A interrupt controllers of a PC, the second one at line 2 of the first, and the registers that make
 * lines level triggered (EISA's ELCR). Manual: Intel 8259A data sheet (231468).
 * Ports: 0x20, 0x21, 0xa0, 0xa1, 0x4d0, 0x4d1.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { PIC_LEVELS = 0x4d0 }; /* the port that says which of inputs 0 to 7 are level triggered; 0x4d1 has 8 to 15 */

struct pic_chip {
	uint8_t requested, served, masked; /* IRR, ISR, IMR */
	uint8_t lines;                     /* levels of the inputs */
	uint8_t level;                     /* inputs that are level triggered */
	uint8_t base;                      /* vector of input 0 */
	uint8_t lowest;                    /* the input with the lowest priority */
	uint8_t init;                      /* the initialization word that comes next, 0: none */
	bool init_word_3, init_word_4;
	bool auto_eoi, rotate_at_auto_eoi, special_mask, fully_nested, read_served, poll;
};

struct pic {
	struct pic_chip chip[2];
};

void pic_reset(struct pic *p);

/* The level of input 0 to 15. Input 2 is the second chip's. */
void pic_set_line(struct pic *p, unsigned irq, bool high);

bool pic_wants(const struct pic *p);     /* the interrupt line to the processor */
unsigned pic_acknowledge(struct pic *p); /* the processor's answer to it: the vector */
bool pic_is_requested(const struct pic *p, unsigned irq);

uint8_t pic_read(struct pic *p, uint16_t port);
void pic_write(struct pic *p, uint16_t port, uint8_t value);
