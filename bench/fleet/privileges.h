/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From root to the user that servers run as, for good. */
#pragma once

#include "host/error.h"

#include <sys/types.h>

struct privileges {
	uid_t user;
	gid_t group;
	bool can_change; /* we are root, and this user exists in our user namespace */
};

/* Whom to become; without root that is who we are. */
bool privileges_find(struct privileges *p, const char *user, struct error *error) must_check;

/* Becomes that user for good. */
bool privileges_drop(const struct privileges *p, struct error *error) must_check;
