/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Gives up root, for good, for the user that servers run as. */
#pragma once

#include "host/error.h"

#include <sys/types.h>

struct privileges {
	uid_t user;
	gid_t group;
	bool can_change; /* we are root, and this user exists in our user namespace */
};

/* Finds out whom to become; a process that is not root stays who it is. */
bool privileges_find(struct privileges *p, const char *user, struct error *error) must_check;

/* Becomes that user for good. */
bool privileges_drop(const struct privileges *p, struct error *error) must_check;
