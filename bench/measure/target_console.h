/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Opening of consoles that are elsewhere: descriptors that do not block, or -1 with the reason. */
#pragma once

#include "measure/target.h"

/* The device of config->console, raw, at config->baud; nobody but root can open it meanwhile. */
int target_console_serial(const struct machine_config *config, struct error *error);

/* config->console is HOST:PORT. */
int target_console_tcp(const struct machine_config *config, struct error *error);

/* Closes any of them; a serial line can be opened by others again. */
void target_console_close(int fd);
