/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vmm/kbc.h"

enum { PORT_DATA = 0x60 };
enum { STATUS_FULL = 0x01, STATUS_SYSTEM = 0x04, STATUS_COMMAND = 0x08, STATUS_UNLOCKED = 0x10 };
enum { MODE_INTERRUPT = 0x01, MODE_SYSTEM = 0x04, MODE_DISABLED = 0x10 };
enum {
	READ_MODE = 0x20,
	WRITE_MODE = 0x60,
	TEST = 0xaa,
	TEST_KEYBOARD = 0xab,
	DISABLE_KEYBOARD = 0xad,
	ENABLE_KEYBOARD = 0xae,
	READ_OUTPUT_PORT = 0xd0,
	WRITE_OUTPUT_PORT = 0xd1,
	PULSE = 0xf0, /* and the lines that are not pulsed; line 0 is the processor's reset */
};
enum { TEST_PASSED = 0x55, CLOCK_LOW = 0x01, OUTPUT_RUNNING = 0x01, OUTPUT_A20 = 0x02, NO_ANSWER = 0xfe };

void kbc_reset(struct kbc *k)
{
	*k = (struct kbc){.mode = MODE_SYSTEM, .port = OUTPUT_RUNNING | OUTPUT_A20};
}

bool kbc_interrupt(const struct kbc *k)
{
	return k->full && k->mode & MODE_INTERRUPT;
}

static void answer(struct kbc *k, uint8_t value)
{
	k->output = value;
	k->full = true;
}

uint8_t kbc_read(struct kbc *k, uint16_t port)
{
	if (port != PORT_DATA)
		return (uint8_t)((k->full ? STATUS_FULL : 0) | (k->mode & MODE_SYSTEM ? STATUS_SYSTEM : 0) |
				 (k->told ? STATUS_COMMAND : 0) | STATUS_UNLOCKED);
	k->full = false;
	return k->output;
}

/* Nothing is connected: the test of the keyboard's line fails, and there are no commands for a second line. */
static void do_command(struct kbc *k, uint8_t value)
{
	k->command = 0;
	if (value == READ_MODE)
		answer(k, k->mode);
	else if (value == TEST)
		answer(k, TEST_PASSED);
	else if (value == TEST_KEYBOARD)
		answer(k, CLOCK_LOW);
	else if (value == READ_OUTPUT_PORT)
		answer(k, k->port);
	else if (value == DISABLE_KEYBOARD)
		k->mode |= MODE_DISABLED;
	else if (value == ENABLE_KEYBOARD)
		k->mode &= (uint8_t)~MODE_DISABLED;
	else if (value == WRITE_MODE || value == WRITE_OUTPUT_PORT)
		k->command = value;
	else if (value >= PULSE && !(value & OUTPUT_RUNNING))
		k->reset = true;
}

static void do_data(struct kbc *k, uint8_t value)
{
	if (k->command == WRITE_MODE) {
		k->mode = value;
	} else if (k->command == WRITE_OUTPUT_PORT) {
		k->port = value;
		if (!(value & OUTPUT_RUNNING))
			k->reset = true;
	} else {
		answer(k, NO_ANSWER); /* for the keyboard, which is not there: "send again" */
	}
	k->command = 0;
}

void kbc_write(struct kbc *k, uint16_t port, uint8_t value)
{
	k->told = port != PORT_DATA;
	if (port == PORT_DATA)
		do_data(k, value);
	else
		do_command(k, value);
}
