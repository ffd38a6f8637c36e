/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "result/build_id.h"

#include "result/result.h"

#include <stdio.h>
#include <string.h>

static size_t digits(const char *text)
{
	return strspn(text, "0123456789abcdef");
}

bool build_id_valid(const char *id)
{
	return digits(id) >= BUILD_ID_SHOWN && !id[digits(id)];
}

static void shorten(const char *id, build_id_shown out)
{
	size_t count = digits(id);

	snprintf(out, sizeof(build_id_shown), "%.*s", (int)(count < BUILD_ID_SHOWN ? count : BUILD_ID_SHOWN), id);
}

void build_id_of_line(const char *boot_line, build_id_shown out)
{
	const char *at = strstr(boot_line, "build ");

	shorten(at ? at + strlen("build ") : "", out);
}

void build_id_of_result(const struct result *result, build_id_shown out)
{
	shorten(result_text(result, "kernel_build_id"), out);
	if (!*out)
		build_id_of_line(result_text(result, "kernel_boot_line"), out);
}
