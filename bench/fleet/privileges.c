/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fleet/privileges.h"

#include "host/error.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

/* In the user namespace of somebody without root there is often root only, who is nobody outside. */
static bool is_mapped(uid_t user)
{
	FILE *map = fopen("/proc/self/uid_map", "re");
	unsigned long first, outside, count;
	bool found = false;

	while (map && !found && fscanf(map, "%lu %lu %lu", &first, &outside, &count) == 3)
		found = user >= first && user - first < count;
	if (map)
		fclose(map);
	return found;
}

bool privileges_find(struct privileges *p, const char *user, struct error *error)
{
	const struct passwd *entry = getpwnam(user);

	*p = (struct privileges){getuid(), getgid(), false};
	if (geteuid())
		return true;
	if (!entry)
		return error_set(error, "there is no user %s to run the servers as", user);
	if (!is_mapped(entry->pw_uid))
		return true;
	*p = (struct privileges){entry->pw_uid, entry->pw_gid, entry->pw_uid != 0};
	return true;
}

bool privileges_drop(const struct privileges *p, struct error *error)
{
	if (p->can_change &&
	    (setgroups(0, NULL) || setresgid(p->group, p->group, p->group) || setresuid(p->user, p->user, p->user)))
		return error_set(error, "cannot become user %u: %s", p->user, strerror(errno));
	if (p->can_change && !setuid(0))
		return error_set(error, "root's rights did not go away");
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	return true;
}
