/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What machines are told: iPXE's scripts and the configuration of dnsmasq. Text only, of a checked inventory. */
#pragma once

#include "fleet/inventory.h"

#include <stdio.h>

/* Names below the served folder. */
#define SCRIPT_NODES "node"
#define SCRIPT_PAYLOADS "payload"
#define SCRIPT_LOGS "log" /* mailbox.h */

/* http://10.77.0.1:8080, to be freed. */
char *script_server(const struct inventory *inventory);

/* The script that finds the machine's own. */
void script_start(FILE *out, const struct inventory *inventory);

/* A machine's menu: with a payload (its folder's name, and what it is) it runs that, else it boots by itself. */
void script_machine(FILE *out, const struct inventory *inventory, const struct inventory_machine *machine,
		    const char *payload, const char *title);

/* state: folder for what dnsmasq remembers. */
void script_dnsmasq(FILE *out, const struct inventory *inventory, const char *state);
