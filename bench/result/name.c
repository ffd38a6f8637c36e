/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "result/name.h"

#include <string.h>

bool name_valid(const char *name)
{
	size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_");

	return len && !name[len];
}

bool name_of_cycles(const char *name)
{
	static const char word[] = "/counter:cycles";
	const char *at = strstr(name, word);

	return at && (!at[sizeof(word) - 1] || at[sizeof(word) - 1] == '/');
}

bool name_of_counter(const char *name)
{
	return strstr(name, "/counter:");
}
