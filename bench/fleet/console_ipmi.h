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
	IPMI_CLEARING, /* who has the session loses it */
	IPMI_OPENING,  /* ours is asked for */
	IPMI_OPEN,
	IPMI_RESTING, /* before the next try */
};

struct console_ipmi {
	const struct inventory_machine *machine;
	const char *folder;
	enum console_ipmi_phase phase;
	struct child child; /* ipmitool: at the phases before IPMI_RESTING */
	int terminal;       /* our end of ipmitool's terminal, or -1 */
	int said;           /* file with its complaints */
	double since;       /* of the phase */
	double lost;        /* since when there is no session */
	size_t greeted;     /* how much of its greeting has come */
};

/* Waits until the session is there, at most as long as a power command may take. */
bool console_ipmi_open(struct console_ipmi *console, const struct inventory *inventory,
		       const struct inventory_machine *machine, struct error *error) must_check;

/* Waits a moment for bytes of the machine. *ended: there was no session for so long that it is given up. */
size_t console_ipmi_read(struct console_ipmi *console, char *data, size_t size, bool *ended);

/* Gives the session back. */
void console_ipmi_close(struct console_ipmi *console);
