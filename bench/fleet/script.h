/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What machines are told: iPXE's scripts and the configuration of dnsmasq. Text only, of a checked inventory. */
#pragma once

#include "fleet/inventory.h"

#include <stdio.h>

/* Names below the served folder. */
#define SCRIPT_NODES "node"
#define SCRIPT_PAYLOADS "payload"
#define SCRIPT_LOGS "log" /* mailbox.h */

/* The URL of the HTTP server, as http://10.77.0.1:8080; to be freed. */
char *script_server(const struct inventory *inventory);

/* The first script of all machines, which goes on with the machine's own: that is named by its card's address. */
void script_start(FILE *out, const struct inventory *inventory);

/* A machine's menu: with a payload (its folder's name, and what it is) it runs that, else it boots by itself. */
void script_machine(FILE *out, const struct inventory *inventory, const struct inventory_machine *machine,
		    const char *payload, const char *title);

/* The configuration of dnsmasq. state: the folder for what it remembers. */
void script_dnsmasq(FILE *out, const struct inventory *inventory, const char *state);
