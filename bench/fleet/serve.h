/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The servers of a lab, until a signal comes: dnsmasq for addresses and TFTP, HTTP in this process. */
#pragma once

#include "fleet/inventory.h"
#include "host/error.h"

/* True after a signal; false when a server could not start or ended by itself. */
bool serve(const struct inventory *inventory, struct error *error);
