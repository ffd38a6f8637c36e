/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The console of a machine: bytes that come from it, wherever that is. Nothing is ever typed. */
#pragma once

#include "fleet/console_ipmi.h"
#include "fleet/inventory.h"
#include "fleet/mailbox.h"
#include "host/error.h"
#include "measure/child.h"
#include "measure/telnet.h"

#include <stddef.h>

struct console {
	const struct inventory_console *settings;
	int fd; /* -1: not open */
	struct child child;
	struct telnet telnet;
	struct console_ipmi ipmi;
	struct mailbox mailbox; /* ram */
	off_t at;               /* file: what was read */
	bool ended;             /* nothing will come any more */
};

/* Opens it, before the machine is switched on. Consoles that come with the machine are opened by console_read(). */
bool console_open(struct console *console, const struct inventory *inventory, const struct inventory_machine *machine,
		  struct error *error) must_check;

/* Waits a moment for bytes; how many there are, 0 when none came. */
size_t console_read(struct console *console, char *data, size_t size);

void console_close(struct console *console);
