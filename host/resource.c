/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "host/resource.h"

#include "host/mem.h"

#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

/* The program's folder with a slash at the end; "" if the system does not tell. Links are followed, so that a link to
 * a program elsewhere does not change what it finds. */
static char *own_folder(void)
{
	char self[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self));

	while (len > 0 && self[len - 1] != '/')
		len--;
	return xasprintf("%.*s", (int)(len > 0 ? len : 0), self);
}

char *resource_path(const char *installed, const char *built)
{
	char *own = own_folder(), *share = xasprintf("%s../share/hedron/", own), *path;

	if (access(share, F_OK) == 0)
		path = xasprintf("%s%s", share, installed);
	else
		path = xasprintf("%s%s", own, built);
	free(share);
	free(own);
	return path;
}
