/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fleet/plan.h"

#include "fleet/outcome.h"
#include "host/file.h"
#include "host/hash.h"
#include "host/json_file.h"
#include "host/mem.h"
#include "measure/elf_info.h"
#include "result/finding.h"
#include "result/name.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { IMAGE_MAX = 256 << 20, PLAN_MAX = 1 << 22 };

static bool read_kernel(struct plan_kernel *kernel, struct error *error)
{
	struct elf_info elf;
	size_t size;
	char *data = file_read(kernel->path, IMAGE_MAX, &size, error);
	bool good =
		data && (elf_info_read(&elf, data, size) || error_set(error, "%s is not an ELF file", kernel->path));

	good = good && (hash_sha256(data, size, kernel->sha256) || error_set(error, "cannot compute a SHA-256"));
	if (good)
		strcpy(kernel->build_id, elf.build_id);
	free(data);
	return good;
}

static bool check_roottask(const struct plan *plan, const char *suite, struct error *error)
{
	struct plan_kernel roottask = {.path = plan_roottask(plan, suite)};
	bool good = read_kernel(&roottask, error);

	free(roottask.path);
	return good;
}

/* A loaded plan knows the sum of what it began with. */
static bool check_kernel(struct plan_kernel *kernel, struct error *error)
{
	char before[65];

	strcpy(before, kernel->sha256);
	if (!read_kernel(kernel, error))
		return false;
	if (*before && strcmp(before, kernel->sha256))
		return error_set(error, "%s is not the kernel the run began with; begin a new one", kernel->path);
	return true;
}

bool plan_check(struct plan *plan, struct error *error)
{
	if (!check_kernel(&plan->kernel, error) || (plan->base.path && !check_kernel(&plan->base, error)))
		return false;
	for (unsigned i = 0; i < plan->suite_count; i++)
		if (!check_roottask(plan, plan->suites[i], error))
			return false;
	for (unsigned i = 0; i < plan->machine_count; i++)
		if (plan->machines[i]->probe.when != LOOK_NEVER)
			return check_roottask(plan, FINDING_SUITE, error);
	return true;
}

/* --- the file --- */

static json_t *texts(char *const *words, unsigned count)
{
	json_t *array = json_array();

	for (unsigned i = 0; i < count; i++)
		json_array_append_new(array, json_string(words[i]));
	return array;
}

static json_t *machine_names(const struct plan *plan)
{
	json_t *array = json_array();

	for (unsigned i = 0; i < plan->machine_count; i++)
		json_array_append_new(array, json_string(plan->machines[i]->name));
	return array;
}

bool plan_save(const struct plan *plan, struct error *error)
{
	json_t *root = json_pack("{s:s, s:s, s:s, s:s*, s:s, s:s, s:s, s:s*, s:i, s:i, s:o, s:o}", "inventory",
				 plan->inventory->path, "kernel", plan->kernel.path, "kernel_sha256",
				 plan->kernel.sha256, "baseline_kernel", plan->base.path, "baseline_kernel_sha256",
				 plan->base.sha256, "roottasks", plan->roottasks, "root_append", plan->root_append,
				 "git_revision", plan->revision, "boots", plan->boots, "confirm", plan->confirm,
				 "suites", texts(plan->suites, plan->suite_count), "machines", machine_names(plan));
	char *path = xasprintf("%s/run.json", plan->folder), *text = root ? json_dumps(root, JSON_INDENT(1)) : NULL;
	bool good = file_make_folders(plan->folder, error) &&
		    (text ? file_replace(path, text, strlen(text), error)
			  : error_set(error, "a path or a word of this run is not UTF-8, so it cannot be kept"));

	free(text);
	free(path);
	json_decref(root);
	return good;
}

static char *text_of(const json_t *root, const char *key)
{
	const char *text = json_string_value(json_object_get(root, key));

	return text ? xstrdup(text) : NULL;
}

static bool take_suites(struct plan *plan, const json_t *list)
{
	size_t i;
	json_t *suite;

	plan->suites = xcalloc(json_array_size(list) + 1, sizeof(*plan->suites));
	json_array_foreach(list, i, suite)
	{
		const char *name = json_string_value(suite);

		if (!name || !name_valid(name))
			return false;
		plan->suites[plan->suite_count++] = xstrdup(name);
	}
	return plan->suite_count;
}

static void take_kernel(struct plan_kernel *kernel, const json_t *root, const char *path, const char *sha256)
{
	kernel->path = text_of(root, path);
	json_file_text(root, sha256, kernel->sha256, sizeof(kernel->sha256));
}

static bool take(struct plan *plan, const json_t *root)
{
	json_int_t boots = json_integer_value(json_object_get(root, "boots"));
	json_int_t confirm = json_integer_value(json_object_get(root, "confirm"));

	plan->confirm = confirm > 0 && confirm <= PLAN_CONFIRM_MAX ? (unsigned)confirm : 0;
	take_kernel(&plan->kernel, root, "kernel", "kernel_sha256");
	take_kernel(&plan->base, root, "baseline_kernel", "baseline_kernel_sha256");
	plan->roottasks = text_of(root, "roottasks");
	plan->root_append = text_of(root, "root_append");
	plan->revision = text_of(root, "git_revision");
	plan->boots = boots > 0 && boots <= OUTCOME_BOOTS_MAX ? (unsigned)boots : 0;
	return take_suites(plan, json_object_get(root, "suites")) && plan->kernel.path && plan->roottasks &&
	       plan->root_append && plan->boots;
}

bool plan_load(struct plan *plan, const char *folder, char **inventory_path, json_t **machines, struct error *error)
{
	char *path = xasprintf("%s/run.json", folder);
	json_t *root = json_file_load(path, PLAN_MAX, error);
	bool good = root;

	*plan = (struct plan){.folder = realpath(folder, NULL)};
	*inventory_path = text_of(root, "inventory");
	*machines = json_incref(json_object_get(root, "machines"));
	if (good && (!take(plan, root) || !*inventory_path || !json_is_array(*machines)))
		good = error_set(error, "%s is not the plan of a fleet run", path);
	json_decref(root);
	free(path);
	return good;
}

/* --- asking --- */

char *plan_path(const struct plan *plan, const struct inventory_machine *machine, const char *suite, const char *name)
{
	return xasprintf("%s/%s/%s/%s", plan->folder, machine->name, suite, name);
}

char *plan_roottask(const struct plan *plan, const char *suite)
{
	return xasprintf("%s/%s.elf", plan->roottasks, suite);
}

/* A log in RAM is collected after a reset. */
char *plan_root_words(const struct plan *plan, const struct inventory_machine *machine, const char *suite)
{
	const char *end = machine->console.type == CONSOLE_RAM ? " end=reboot" : "";

	if (!strcmp(suite, FINDING_SUITE))
		return xasprintf("suite=%s seconds=%u%s", suite, machine->probe.seconds, end);
	return xasprintf("suite=%s%s%s%s", suite, *plan->root_append ? " " : "", plan->root_append, end);
}

bool plan_looks_first(const struct plan *plan, const struct inventory_machine *machine)
{
	bool asked = false, measures = false;

	for (unsigned i = 0; i < plan->suite_count; i++) {
		asked = asked || !strcmp(plan->suites[i], FINDING_SUITE);
		measures = measures || inventory_allows(machine, plan->suites[i]);
	}
	return machine->probe.when != LOOK_NEVER && measures && !asked;
}

char *plan_kernel_words(const struct inventory_machine *machine)
{
	const char *space = machine->append ? " " : "", *append = machine->append ? machine->append : "";

	if (machine->console.type == CONSOLE_RAM)
		return xasprintf("novga log=ram:%uK panic=reboot%s%s", machine->console.kib, space, append);
	return xasprintf("serial novga%s%s", space, append);
}

void plan_free(struct plan *plan)
{
	for (unsigned i = 0; i < plan->suite_count; i++)
		free(plan->suites[i]);
	free(plan->suites);
	free(plan->machines);
	free(plan->folder);
	free(plan->kernel.path);
	free(plan->base.path);
	free(plan->roottasks);
	free(plan->root_append);
	free(plan->revision);
	*plan = (struct plan){0};
}
