/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "measure/campaign.h"

#include "host/error.h"
#include "host/exit_code.h"
#include "host/json_file.h"
#include "host/mem.h"
#include "host/trace_file.h"
#include "measure/collect.h"
#include "measure/image.h"
#include "measure/run.h"
#include "measure/trace_meta.h"
#include "result/metric.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool campaign_check(struct campaign *c, struct error *error)
{
	bool root_is_64;

	for (unsigned i = 0; i < c->kernel_count; i++) {
		struct campaign_kernel *kernel = &c->kernels[i];

		if (kernel->path && !image_check(kernel->path, &kernel->is_64, error))
			return false;
	}
	return !c->config.roottask || image_check(c->config.roottask, &root_is_64, error);
}

/* "new.json" -> "new.log"; with several boots "new.1.log" and so on. */
static char *path_beside(const struct campaign *c, const struct campaign_kernel *kernel, unsigned boot,
			 const char *suffix)
{
	size_t len = strlen(kernel->output);

	if (len > 5 && !strcmp(kernel->output + len - 5, ".json"))
		len -= 5;
	if (c->boots > 1)
		return xasprintf("%.*s.%u.%s", (int)len, kernel->output, boot, suffix);
	return xasprintf("%.*s.%s", (int)len, kernel->output, suffix);
}

/* As started, but without the folders of this host. */
static void note_command(struct result *result, char *const argv[])
{
	json_t *array = json_array();

	json_array_append_new(array, json_file_string(image_name(*argv)));
	while (*++argv)
		json_array_append_new(array, json_file_string(*argv));
	json_object_set_new(result->context, "command_line", array);
}

static void note_emulator(const struct campaign *c, struct result *result, const struct launch *launch)
{
	char *version = c->target->version(launch);

	result_set_text(result, "cpu_model", c->config.cpu);
	result_set_number(result, "cpus", c->config.cpus);
	result_set_number(result, "memory_mb", c->config.memory);
	result_set_text(result, "emulator_version", version ? version : "unknown");
	free(version);
	note_command(result, launch->argv);
}

static bool note_machine(const struct campaign *c, const struct campaign_kernel *kernel, struct result *result,
			 const struct launch *launch, struct error *error)
{
	result_set_text(result, "target", c->target->name);
	if (!c->target->real)
		note_emulator(c, result, launch);
	result_set_text(result, "kernel_append", c->config.append);
	return (!kernel->path || image_note(result, "kernel", kernel->path, error)) &&
	       (!c->config.roottask || image_note(result, "roottask", c->config.roottask, error));
}

static bool keep_session(const struct campaign *c, struct campaign_kernel *kernel, struct session *session,
			 const struct launch *launch, struct error *error)
{
	if (!kernel->boots_done) {
		if (!c->progress.quiet)
			session_note_seals(session);
		collect_start(&kernel->result, session, c->machine, c->target->metric);
		if (!note_machine(c, kernel, &kernel->result, launch, error))
			return false;
	}
	kernel->boots_done++;
	return collect_add(&kernel->result, session, error);
}

static enum exit_code finish_boot(const struct campaign *c, struct campaign_kernel *kernel, enum run_end end,
				  struct session *session, const struct launch *launch, const char *log,
				  struct error *error)
{
	switch (end) {
	case RUN_GOOD:
		if (keep_session(c, kernel, session, launch, error))
			return EXIT_SAME_OR_BETTER;
		break;
	case RUN_INVALID:
		collect_complain(session, log);
		return EXIT_RUN_INVALID;
	case RUN_INTERRUPTED:
		complain("interrupted; the console log so far is in %s", log);
		return EXIT_INTERRUPTED;
	case RUN_NOT_STARTED:
		break;
	}
	complain("%s", error->text);
	return EXIT_RUN_INVALID;
}

/* Also of a run that is not valid: it may show why. */
static bool save_trace(const struct campaign *c, const struct campaign_kernel *kernel, const struct session *session)
{
	char *path = c->trace_file ? xstrdup(c->trace_file) : path_beside(c, kernel, c->config.boot, "htrace");
	struct error error;
	bool good;

	trace_describe(session->trace, session, kernel->boots_done ? &kernel->result : NULL);
	good = trace_save(session->trace, path, &error);
	if (!good)
		complain("%s", error.text);
	else if (!c->progress.quiet)
		fprintf(stderr, "trace: %s; `htrace stat` shows its numbers, `htrace text` its events\n", path);
	free(path);
	return good;
}

static void set_config(struct campaign *c, const struct campaign_kernel *kernel, unsigned boot)
{
	c->config.kernel = kernel->path;
	c->config.kernel_is_64 = kernel->is_64;
	c->config.boot = boot;
	if (c->consoles)
		c->config.console = c->consoles[boot - 1];
}

static enum exit_code boot_logged(struct campaign *c, struct campaign_kernel *kernel, FILE *file, const char *log)
{
	enum exit_code code = EXIT_RUN_INVALID;
	struct launch launch = {.console = -1};
	struct session session;
	struct error error;

	session_init(&session, c->suite, !metric_find(c->target->metric)->exact);
	session.wants_trace = c->traced;
	if (c->target->prepare(&c->config, &launch, &error)) {
		enum run_end end = run_boot(&launch, c->timeout, file, &session, &c->progress, &error);

		fflush(file);
		code = finish_boot(c, kernel, end, &session, &launch, log, &error);
		if (session.trace && !save_trace(c, kernel, &session))
			code = EXIT_RUN_INVALID;
	} else {
		complain("%s", error.text);
	}
	session_free(&session);
	launch_free(&launch);
	return code;
}

static enum exit_code boot_once(struct campaign *c, struct campaign_kernel *kernel, unsigned boot)
{
	char *log = path_beside(c, kernel, boot, "log");
	FILE *file = fopen(log, "we");
	enum exit_code code = EXIT_RUN_INVALID;

	set_config(c, kernel, boot);
	progress_boot(&c->progress, c->kernel_count > 1 ? kernel->output : "");
	if (file) {
		code = boot_logged(c, kernel, file, log);
		fclose(file);
	} else {
		complain("cannot write %s: %s", log, strerror(errno));
	}
	free(log);
	return code;
}

enum exit_code campaign_run(struct campaign *c)
{
	enum exit_code code = EXIT_SAME_OR_BETTER;

	for (unsigned boot = 1; boot <= c->boots; boot++)
		for (unsigned i = 0; i < c->kernel_count && code == EXIT_SAME_OR_BETTER; i++)
			code = boot_once(c, &c->kernels[i], boot);
	for (unsigned i = 0; i < c->kernel_count && code == EXIT_SAME_OR_BETTER; i++)
		collect_finish(&c->kernels[i].result, c->revision, c->kernels[i].boots_done);
	return code;
}

void campaign_free(struct campaign *c)
{
	for (unsigned i = 0; i < c->kernel_count; i++)
		result_free(&c->kernels[i].result);
}
