/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fleet/plan.h"

#include "fleet/outcome.h"
#include "host/file.h"
#include "host/hash.h"
#include "host/json_file.h"
#include "host/mem.h"
#include "measure/elf_info.h"
#include "result/name.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { IMAGE_MAX = 256 << 20, PLAN_MAX = 1 << 22 };

static bool read_kernel(const char *path, char sha256[65], char build_id[65], struct error *error)
{
	struct elf_info elf;
	size_t size;
	char *data = file_read(path, IMAGE_MAX, &size, error);
	bool good = data && (elf_info_read(&elf, data, size) || error_set(error, "%s is not an ELF file", path));

	good = good && (hash_sha256(data, size, sha256) || error_set(error, "cannot compute a SHA-256"));
	if (good)
		strcpy(build_id, elf.build_id);
	free(data);
	return good;
}

static bool check_roottask(const struct plan *plan, const char *suite, struct error *error)
{
	char *path = plan_roottask(plan, suite), sha256[65], build_id[65];
	bool good = read_kernel(path, sha256, build_id, error);

	free(path);
	return good;
}

bool plan_check(struct plan *plan, struct error *error)
{
	char before[65];

	strcpy(before, plan->kernel_sha256);
	if (!read_kernel(plan->kernel, plan->kernel_sha256, plan->build_id, error))
		return false;
	if (*before && strcmp(before, plan->kernel_sha256))
		return error_set(error, "%s is not the kernel the run began with; begin a new one", plan->kernel);
	for (unsigned i = 0; i < plan->suite_count; i++)
		if (!check_roottask(plan, plan->suites[i], error))
			return false;
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
	json_t *root = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s*, s:i, s:i, s:o, s:o}", "inventory",
				 plan->inventory->path, "kernel", plan->kernel, "kernel_sha256", plan->kernel_sha256,
				 "roottasks", plan->roottasks, "root_append", plan->root_append, "git_revision",
				 plan->revision, "boots", plan->boots, "confirm", plan->confirm, "suites",
				 texts(plan->suites, plan->suite_count), "machines", machine_names(plan));
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

static bool take(struct plan *plan, const json_t *root)
{
	char *sha256 = text_of(root, "kernel_sha256");
	json_int_t boots = json_integer_value(json_object_get(root, "boots"));
	json_int_t confirm = json_integer_value(json_object_get(root, "confirm"));

	plan->confirm = confirm > 0 && confirm <= PLAN_CONFIRM_MAX ? (unsigned)confirm : 0;
	plan->kernel = text_of(root, "kernel");
	plan->roottasks = text_of(root, "roottasks");
	plan->root_append = text_of(root, "root_append");
	plan->revision = text_of(root, "git_revision");
	plan->boots = boots > 0 && boots <= OUTCOME_BOOTS_MAX ? (unsigned)boots : 0;
	snprintf(plan->kernel_sha256, sizeof(plan->kernel_sha256), "%s", sha256 ? sha256 : "");
	free(sha256);
	return take_suites(plan, json_object_get(root, "suites")) && plan->kernel && plan->roottasks &&
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
	return xasprintf("suite=%s%s%s%s", suite, *plan->root_append ? " " : "", plan->root_append,
			 machine->console.type == CONSOLE_RAM ? " end=reboot" : "");
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
	free(plan->kernel);
	free(plan->roottasks);
	free(plan->root_append);
	free(plan->revision);
	*plan = (struct plan){0};
}
