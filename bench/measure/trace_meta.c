/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "measure/trace_meta.h"

#include "host/clock.h"
#include "host/json_file.h"
#include "host/mem.h"
#include "host/trace_file.h"

#include <stdlib.h>
#include <string.h>

static void set_text(struct trace *trace, const char *key, const char *text)
{
	if (*text)
		json_object_set_new(trace->meta, key, json_file_string(text));
}

/* The cases that the roottask's command line restricts the run to. */
static void set_case(struct trace *trace, const char *cmdline)
{
	const char *at = strstr(cmdline, " case=");
	char *text;

	if (!at)
		return;
	at += strlen(" case=");
	text = xasprintf("%.*s", (int)strcspn(at, " "), at);
	set_text(trace, "case", text);
	free(text);
}

void trace_describe(struct trace *trace, const struct session *session, const struct result *result)
{
	static const char *const keys[] = {"machine", "kernel_build_id", "kernel_sha256", "roottask_sha256"};
	char date[32];

	clock_date(date);
	set_text(trace, "when", date);
	set_text(trace, "suite", session->run.suite);
	set_case(trace, session->run.cmdline);
	set_text(trace, "boot_line", *session->boot_line ? session->boot_line : session->run.kernel);
	set_text(trace, "cpu_brand", session->run.cpu);
	set_text(trace, "cmdline", session->run.cmdline);
	for (size_t i = 0; result && i < array_size(keys); i++)
		set_text(trace, keys[i], result_text(result, keys[i]));
}
