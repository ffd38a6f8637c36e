/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "host/exit_code.h"
#include "host/trace_file.h"
#include "htrace.h"
#include "measure/session_log.h"
#include "measure/trace_meta.h"

static struct {
	const char *output;
} o;

static const struct option_spec options[] = {
	{"output", 'o', OPTION_TEXT, "FILE", "Where to put the trace; needed", &o.output, 0, 0, NULL},
	OPTION_END,
};

static bool import(const char *path, struct session *session, struct error *error)
{
	if (!session_read_log(session, path, error))
		return false;
	if (!session->trace)
		return error_set(error, "%s: %s (%.900s)", path, fault_text(session->fault), session->detail.text);
	if (session->fault != FAULT_NONE)
		complain("note: the run is not valid: %s (%s)", fault_text(session->fault), session->detail.text);
	trace_describe(session->trace, session, NULL);
	return trace_save(session->trace, o.output, error);
}

static int run(char **args, unsigned count)
{
	struct session session;
	struct error error;
	bool good;

	(void)count;
	if (!o.output)
		verb_usage(&verb_import, "--output is needed");
	session_init(&session, NULL, false);
	session.wants_trace = true;
	good = import(args[0], &session, &error);
	if (!good)
		complain("%s", error.text);
	session_free(&session);
	return good ? 0 : EXIT_RUN_INVALID;
}

const struct verb verb_import = {
	.name = "import",
	.summary = "take the trace out of a recorded console",
	.args = "LOG",
	.doc = "Take the trace out of the log of a console, for instance of a serial line that something else than "
	       "hbench "
	       "recorded.",
	.examples = "  htrace import -o boot1.htrace boot1.log\n",
	.options = options,
	.args_min = 1,
	.args_max = 1,
	.args_needed = "one log is needed",
	.run = run,
};
