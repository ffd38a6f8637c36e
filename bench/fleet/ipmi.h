/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How ipmitool reaches a machine's management controller. */
#pragma once

#include "fleet/inventory.h"

#include <stddef.h>

/*
 * ipmitool with what it needs to know of the controller, then these words, NULL at the end; strings_free() frees it.
 * The password is in its file only: command lines are for everybody to see.
 */
char **ipmi_command(const struct inventory_bmc *bmc, const char *interface, const char *const words[], size_t count);
