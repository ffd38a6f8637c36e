/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How ipmitool reaches a machine's management controller. */
#pragma once

#include "fleet/inventory.h"

#include <stddef.h>

/*
 * The command line: ipmitool with what it needs to know of the controller, then these words, and NULL; to be freed by
 * strings_free(). The password stays in its file, because everybody can see command lines.
 */
char **ipmi_command(const struct inventory_bmc *bmc, const char *interface, const char *const words[], size_t count);
