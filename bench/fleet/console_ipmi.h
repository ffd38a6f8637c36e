/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A serial line that the machine's management controller (BMC) sends over the network: IPMI's Serial over LAN. A BMC
 * has one session for it, which may be one that nobody has ended, and it may drop ours: then there is a new one.
 */
#pragma once

#include "fleet/inventory.h"
#include "host/error.h"
#include "measure/child.h"

#include <stddef.h>

enum console_ipmi_phase {
	IPMI_CLEARING, /* `ipmitool sol deactivate` takes the session from whoever has it */
	IPMI_OPENING,  /* `ipmitool sol activate` was started, and has not greeted yet */
	IPMI_OPEN,     /* what comes is the machine's */
	IPMI_RESTING,  /* ipmitool has ended; a pause before the next try */
};

struct console_ipmi {
	const struct inventory_machine *machine;
	const char *folder;
	enum console_ipmi_phase phase;
	struct child child; /* ipmitool, in all phases but IPMI_RESTING */
	int terminal;       /* our end of ipmitool's terminal, or -1 */
	int said;           /* gets its complaints: a file of said_open() */
	double since;       /* when the phase began: seconds, as clock_seconds() counts */
	double lost;        /* since when there is no session; counts in all phases but IPMI_OPEN */
	size_t greeted;     /* how many bytes of its greeting have come */
};

/* Waits until the session is there, at most for the machine's timeouts.power. */
bool console_ipmi_open(struct console_ipmi *console, const struct inventory *inventory,
		       const struct inventory_machine *machine, struct error *error) must_check;

/*
 * Waits a moment for bytes of the machine and returns how many have come. *ended: there has been no session for
 * timeouts.power, so the console is given up.
 */
size_t console_ipmi_read(struct console_ipmi *console, char *data, size_t size, bool *ended);

/* Gives the session back, so that it is free for others. To be called also when console_ipmi_open() has failed. */
void console_ipmi_close(struct console_ipmi *console);
