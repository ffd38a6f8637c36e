/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fleet/slurm.h"

#include "host/environment.h"
#include "host/mem.h"
#include "host/text.h"
#include "measure/child.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { FIRST_PORT = 17001, SCONTROL_SECONDS = 30, OUTPUT_MAX = 1 << 20 };

/* What scontrol says, to be freed; NULL on error. */
static char *run_scontrol(const char *const argv[], struct error *error)
{
	int fd = memfd_create("scontrol", MFD_CLOEXEC);
	char *text = xcalloc(OUTPUT_MAX + 1, 1);
	struct error why;
	bool good = fd >= 0 && child_run((char *const *)argv, NULL, fd, fd, SCONTROL_SECONDS, &why);

	if (fd < 0)
		error_store(error, "out of memory");
	else if (pread(fd, text, OUTPUT_MAX, 0) < 0)
		*text = '\0';
	if (fd >= 0 && !good) {
		text_mask(text);
		error_store(error, "%.300s: %.500s", why.text, text);
	}
	if (fd >= 0)
		close(fd);
	if (good)
		return text;
	free(text);
	return NULL;
}

/* The lines of the text, which is divided, and NULL; to be freed by strings_free(). */
static char **lines_of(char *text)
{
	char **lines = xcalloc(1, sizeof(*lines)), *save = NULL;
	size_t count = 0;

	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		lines = xreallocarray(lines, count + 2, sizeof(*lines));
		lines[count++] = xstrdup(line);
		lines[count] = NULL;
	}
	return lines;
}

char **slurm_machines(struct error *error)
{
	const char *nodes = getenv("SLURM_JOB_NODELIST");
	const char *const argv[] = {"scontrol", "show", "hostnames", nodes, NULL};
	char *text, **lines;

	if (!nodes || !*nodes) {
		error_store(error, "this is no job of Slurm: SLURM_JOB_NODELIST is not set");
		return NULL;
	}
	text = run_scontrol(argv, error);
	if (!text)
		return NULL;
	lines = lines_of(text);
	free(text);
	return lines;
}

/* --- machines that need repair --- */

static bool needs_repair(enum outcome_verdict verdict)
{
	return verdict == OUTCOME_SILENT || verdict == OUTCOME_POWER || verdict == OUTCOME_CONSOLE;
}

static void drain(const char *machine, const char *reason)
{
	char *node = xasprintf("NodeName=%s", machine), *why = xasprintf("Reason=hbench: %s", reason), *text;
	const char *const argv[] = {"scontrol", "update", node, "State=DRAIN", why, NULL};
	struct error error;

	text = run_scontrol(argv, &error);
	if (text)
		complain("%s: taken out of service: %s", machine, reason);
	else
		complain("%s: cannot be taken out of service: %s", machine, error.text);
	free(text);
	free(why);
	free(node);
}

void slurm_drain(const struct ledger *ledger)
{
	const struct inventory_machine *done = NULL;

	for (unsigned i = 0; i < ledger->count; i++) {
		const struct ledger_row *row = &ledger->rows[i];

		if (row->machine == done || !needs_repair(row->outcome.verdict))
			continue;
		done = row->machine;
		drain(row->machine->name, outcome_text(row->outcome.verdict));
	}
}

/* --- configuration --- */

void slurm_print(FILE *out, const struct inventory *inventory)
{
	char host[ENVIRONMENT_HOST_SIZE];

	environment_host(host);
	for (unsigned i = 0; i < inventory->machines_count; i++) {
		const struct inventory_machine *m = &inventory->machines[i];

		fprintf(out, "NodeName=%s NodeHostname=%s Port=%u CPUs=1 Feature=%s", m->name, host, FIRST_PORT + i,
			m->firmware == FIRMWARE_UEFI ? "uefi" : "bios");
		for (unsigned k = 0; k < m->tags_count; k++)
			fprintf(out, ",%s", m->tags[k]);
		fputc('\n', out);
	}
	fprintf(out, "PartitionName=%s OverSubscribe=EXCLUSIVE State=UP Nodes=", inventory->lab.name);
	for (unsigned i = 0; i < inventory->machines_count; i++)
		fprintf(out, "%s%s", i ? "," : "", inventory->machines[i].name);
	fputc('\n', out);
}
