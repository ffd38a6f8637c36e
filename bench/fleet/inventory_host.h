/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An inventory against the host it is used on: programs, devices and folders that are not there. */
#pragma once

#include "fleet/inventory.h"

/* These are doubts, not faults: the inventory may be right on another host. */
void inventory_host_check(const struct inventory *inventory, struct inventory_problems *doubts);
