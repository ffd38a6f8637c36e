/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A machine that may be reset by one of its registers: what kernel and runtime write to it is kept as text, as
 * "0cf9=06" for ports, "pci(80000860)=5a" for configuration space and "mem(fed00000)=1" for memory. The reset ends
 * the attempt.
 */
#pragma once

#include "unit.h"

#include <stdbool.h>
#include <stdio.h>

static struct {
	char text[200];
	const char *resets; /* the write that does it, or NULL */
	uint8_t busy;       /* what the keyboard controller's status says */
	uint32_t pci;       /* the address that was written last */
	uint64_t tsc;
	jmp_buf end;
} fake_machine;

static inline void fake_reset_saw(const char *what)
{
	size_t used = strlen(fake_machine.text);

	snprintf(fake_machine.text + used, sizeof(fake_machine.text) - used, "%s%s", used ? " " : "", what);
	if (fake_machine.resets && !strcmp(what, fake_machine.resets))
		longjmp(fake_machine.end, 1);
}

static inline void fake_reset_out8(uint16_t port, uint8_t v)
{
	char text[40];

	if (port >= 0xcfc && port <= 0xcff)
		snprintf(text, sizeof(text), "pci(%08x)=%02x", fake_machine.pci + (port - 0xcfcu), v);
	else
		snprintf(text, sizeof(text), "%04x=%02x", port, v);
	fake_reset_saw(text);
}

static inline void fake_reset_out32(uint16_t port, uint32_t v)
{
	assert_int_equal(port, 0xcf8);
	fake_machine.pci = v;
}

static inline uint8_t fake_reset_in8(uint16_t port)
{
	return port == 0x64 ? fake_machine.busy : 0xff;
}

/* The wait between two ways takes a few reads. */
static inline uint64_t fake_reset_tsc(void)
{
	return fake_machine.tsc += 1 << 25;
}

/* The attempt, on a machine that `write` resets. What was written is then in fake_machine.text; true: it was reset.
 */
static inline bool fake_reset_by(const char *write, void (*attempt)(void))
{
	fake_machine.text[0] = '\0';
	fake_machine.resets = write;
	if (setjmp(fake_machine.end))
		return true;
	attempt();
	return false;
}
