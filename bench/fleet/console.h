/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The console of a machine: bytes that come from it, by whatever way. Nothing is ever typed into it. */
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
	int fd;                   /* -1: not open */
	struct child child;       /* of CONSOLE_COMMAND */
	struct telnet telnet;     /* of CONSOLE_TCP */
	struct console_ipmi ipmi; /* of CONSOLE_IPMI */
	struct mailbox mailbox;   /* of CONSOLE_RAM */
	off_t at;                 /* of CONSOLE_FILE: how far it was read; a shorter file is a new one */
	bool ended;               /* nothing will come any more */
};

/* Opens it, before the machine is switched on. Consoles that come with the machine are opened by console_read(). */
bool console_open(struct console *console, const struct inventory *inventory, const struct inventory_machine *machine,
		  struct error *error) must_check;

/* Waits a moment for bytes, at most 100 ms, and returns how many have come; 0 when none did. */
size_t console_read(struct console *console, char *data, size_t size);

/* To be called also when console_open() has failed. */
void console_close(struct console *console);
