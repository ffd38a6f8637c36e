/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fleet/payload.h"

#include "fleet/script.h"
#include "host/file.h"
#include "host/hash.h"
#include "host/mem.h"
#include "host/resource.h"
#include "measure/child.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	FILE_MAX = 1 << 30,
	SUMS_MAX = 1 << 20,
	COMMAND_MAX = 8, /* words that boot/mkimage is told */
	MKIMAGE_SECONDS = 120,
	COLLECTOR_SECONDS = 900 /* it may have to be fetched */
};

/* --- sums --- */

/* "<64 digits>  name" */
static bool check_sum(const char *folder, const char *line, size_t len, struct error *error)
{
	char *name = xasprintf("%.*s", len > 66 ? (int)len - 66 : 0, len > 66 ? line + 66 : ""), hash[65], *path;
	size_t size;
	char *data;
	bool good;

	path = xasprintf("%s/%s", folder, name);
	data = *name && *name != '.' && !strchr(name, '/') ? file_read(path, FILE_MAX, &size, error) : NULL;
	good = data && hash_sha256(data, size, hash) && !strncmp(line, hash, 64);
	if (!good)
		error_store(error, "%s does not have the sum in SHA256SUMS: remove the folder, it is made again",
			    path);
	free(data);
	free(path);
	free(name);
	return good;
}

bool payload_check_sums(const char *folder, struct error *error)
{
	char *path = xasprintf("%s/SHA256SUMS", folder);
	size_t size;
	char *data = file_read(path, SUMS_MAX, &size, error);
	bool good = data && (size || error_set(error, "%s is empty", path));

	for (const char *line = data; good && *line; line += strcspn(line, "\n") + 1) {
		good = check_sum(folder, line, strcspn(line, "\n"), error);
		if (!line[strcspn(line, "\n")])
			break;
	}
	free(data);
	free(path);
	return good;
}

/* --- making --- */

static char *find_mkimage(void)
{
	const char *named = getenv("HBENCH_MKIMAGE");

	return named && *named ? xstrdup(named) : resource_path("boot/mkimage", HBENCH_MKIMAGE_PATH);
}

static bool hash_file(const char *path, char hash[65], struct error *error)
{
	size_t size;
	char *data = file_read(path, FILE_MAX, &size, error);
	bool good = data && (hash_sha256(data, size, hash) || error_set(error, "cannot compute a SHA-256"));

	free(data);
	return good;
}

/* Which authority signs; "" without one. */
static bool hash_keys(const struct plan *plan, char hash[65], struct error *error)
{
	const char *keys = plan->inventory->lab.folders.keys;
	char *path;
	bool good;

	*hash = '\0';
	if (!keys)
		return true;
	path = xasprintf("%s/ca.crt", keys);
	good = hash_file(path, hash, error);
	free(path);
	return good;
}

/* The name is a hash of everything that the folder depends on: equal names, equal contents. */
static bool name_payload(struct payload *p, const struct plan *plan, const char *suite, const char *root_words,
			 const char *words, struct error *error)
{
	char root_hash[65], keys_hash[65], hash[65], *all, *roottask = plan_roottask(plan, suite);
	bool good = hash_file(roottask, root_hash, error) && hash_keys(plan, keys_hash, error);

	free(roottask);
	if (!good)
		return false;
	all = xasprintf("%s %s %s|%s|%s", plan->kernel.sha256, root_hash, words, root_words, keys_hash);
	good = hash_sha256(all, strlen(all), hash) || error_set(error, "cannot compute a SHA-256");
	snprintf(p->id, sizeof(p->id), "%.*s", PAYLOAD_ID_LENGTH, good ? hash : "");
	free(all);
	return good;
}

/* Links in a folder of their own: boot/mkimage divides words at blanks, which paths may have. */
static bool link_programs(const struct plan *plan, const char *suite, const char *work, struct error *error)
{
	char *kernel = xasprintf("%s/hypervisor.elf32", work), *root = xasprintf("%s/%s.elf", work, suite);
	char *roottask = plan_roottask(plan, suite);
	bool good = (!symlink(plan->kernel.path, kernel) && !symlink(roottask, root)) ||
		    error_set(error, "cannot make links in %s: %s", work, strerror(errno));

	free(roottask);
	free(root);
	free(kernel);
	return good;
}

static bool run_mkimage(const char *work, char *const argv[], double seconds, struct error *error)
{
	char *log = xasprintf("%s/mkimage.txt", work);
	int fd = open(log, O_CREAT | O_TRUNC | O_RDWR | O_APPEND | O_CLOEXEC, 0644);
	struct error why;
	bool good = fd >= 0 || error_set(error, "cannot write %s: %s", log, strerror(errno));

	if (good && !child_run(argv, work, fd, fd, seconds, &why))
		good = error_set(error, "no payload could be made: %.300s; what it said is in %.300s", why.text, log);
	if (fd >= 0)
		close(fd);
	free(log);
	return good;
}

/* A folder to be made: complete under its name or not at all; another run that made it meanwhile made the same. */
struct making {
	const char *folder;
	char *scratch, *work; /* while it is made; where boot/mkimage runs */
};

static bool begin_making(struct making *m, const struct plan *plan, const char *folder, struct error *error)
{
	char *parent = xstrdup(folder);
	bool good;

	m->folder = folder;
	m->scratch = xasprintf("%s.%d", folder, getpid());
	m->work = xasprintf("%s/mkimage.%d", plan->folder, getpid());
	*strrchr(parent, '/') = '\0';
	good = file_make_folders(parent, error) && file_make_folders(m->work, error);
	free(parent);
	return good;
}

static bool end_making(struct making *m, bool good, struct error *error)
{
	good = good && payload_check_sums(m->scratch, error);
	if (good && rename(m->scratch, m->folder) && errno != ENOTEMPTY && errno != EEXIST)
		good = error_set(error, "cannot rename %s: %s", m->scratch, strerror(errno));
	file_remove_folder(m->scratch);
	if (good)
		file_remove_folder(m->work);
	free(m->scratch);
	free(m->work);
	return good;
}

/*
 * Makes the folder unless it is there, with what boot/mkimage is told in words[] (COMMAND_MAX at most); then its sums
 * are right. `suite`: whose programs it needs, or NULL.
 */
static bool make_folder(const struct plan *plan, const char *id, const char *suite, const char *const words[],
			double seconds, struct error *error)
{
	char *folder = xasprintf("%s/" SCRIPT_PAYLOADS "/%s", plan->inventory->lab.folders.boot, id);
	char *mkimage = find_mkimage();
	const char *keys = plan->inventory->lab.folders.keys, *argv[COMMAND_MAX + 6] = {mkimage};
	struct making making;
	size_t n = 1;
	bool good;

	if (!access(folder, F_OK)) {
		good = payload_check_sums(folder, error);
	} else {
		good = begin_making(&making, plan, folder, error) &&
		       (!suite || link_programs(plan, suite, making.work, error));
		while (*words)
			argv[n++] = *words++;
		argv[n++] = "-o";
		argv[n++] = making.scratch;
		argv[n++] = keys ? "--sign" : NULL;
		argv[n++] = keys;
		good = good && run_mkimage(making.work, (char *const *)argv, seconds, error);
		good = end_making(&making, good, error);
	}
	free(mkimage);
	free(folder);
	return good;
}

bool payload_prepare(struct payload *p, const struct plan *plan, const struct inventory_machine *machine,
		     const char *suite, struct error *error)
{
	char *root_words = plan_root_words(plan, machine, suite), *words = plan_kernel_words(machine);
	char *module = xasprintf("%s.elf %s", suite, root_words);
	const char *const command[] = {"netboot", "--kernel", "hypervisor.elf32", "--append", words, "--roottask",
				       module,    NULL};
	bool good = name_payload(p, plan, suite, root_words, words, error);

	p->title = xasprintf("suite %s, kernel %.16s", suite, plan->kernel.sha256);
	good = good && make_folder(plan, p->id, suite, command, MKIMAGE_SECONDS, error);
	free(module);
	free(words);
	free(root_words);
	return good;
}

/* --- the collector --- */

/* The name is a hash of what it is told, and of its sources, which lie beside boot/mkimage. */
static bool name_collector(struct payload *p, const struct plan *plan, const char *home, const char *size,
			   struct error *error)
{
	static const char *const sources[] = {"collector.py", "collector_init.sh"};
	char hashes[2][65] = {"", ""}, keys_hash[65], hash[65], *named = find_mkimage(),
	     *mkimage = realpath(named, NULL), *all;
	int folder = mkimage ? (int)(strrchr(mkimage, '/') - mkimage) : 0;
	bool good = (mkimage || error_set(error, "cannot find %s: %s", named, strerror(errno))) &&
		    hash_keys(plan, keys_hash, error);

	for (size_t i = 0; i < array_size(sources) && good; i++) {
		char *path = xasprintf("%.*s/%s", folder, mkimage, sources[i]);

		good = hash_file(path, hashes[i], error);
		free(path);
	}
	all = xasprintf("collector|%s|%s|%s|%s|%s", home, size, hashes[0], hashes[1], good ? keys_hash : "");
	good = good && (hash_sha256(all, strlen(all), hash) || error_set(error, "cannot compute a SHA-256"));
	snprintf(p->id, sizeof(p->id), "%.*s", PAYLOAD_ID_LENGTH, good ? hash : "");
	free(all);
	free(mkimage);
	free(named);
	return good;
}

bool payload_prepare_collector(struct payload *p, const struct plan *plan, const struct inventory_machine *machine,
			       struct error *error)
{
	char *server = script_server(plan->inventory), *home = xasprintf("%s/" SCRIPT_LOGS, server);
	char *size = xasprintf("%uK", machine->console.kib);
	const char *const command[] = {"collector", "netboot", "--home", home, "--size", size, NULL};
	bool good = name_collector(p, plan, home, size, error);

	p->title = xstrdup("the collector of the log in RAM");
	good = good && make_folder(plan, p->id, NULL, command, COLLECTOR_SECONDS, error);
	free(size);
	free(home);
	free(server);
	return good;
}

/* --- arming --- */

static bool copy_file(const char *from, const char *to, struct error *error)
{
	size_t size;
	char *data = file_read(from, FILE_MAX, &size, error);
	bool good = data && file_replace(to, data, size, error);

	free(data);
	return good;
}

/* From the payload to a place that does not depend on it. */
static bool publish(const struct payload *p, const char *boot, const char *name, const char *to, struct error *error)
{
	char *from = xasprintf("%s/" SCRIPT_PAYLOADS "/%s/%s", boot, p->id, name);
	bool good = copy_file(from, to, error);

	free(from);
	return good;
}

static char *node_path(const struct inventory *inventory, const struct inventory_machine *machine, const char *tail)
{
	char *mac = inventory_mac_name(machine);
	char *path = xasprintf("%s/" SCRIPT_NODES "/%s%s", inventory->lab.folders.boot, mac, tail);

	free(mac);
	return path;
}

static bool write_script(const struct payload *p, const struct inventory *inventory,
			 const struct inventory_machine *machine, struct error *error)
{
	char *path = node_path(inventory, machine, ".ipxe"), *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	bool good = out || error_set(error, "out of memory");

	if (good) {
		script_machine(out, inventory, machine, p->id, p->title);
		good = !fclose(out) && file_replace(path, text, size, error);
	}
	free(text);
	free(path);
	return good;
}

/* For network cards with a PXE of their maker; the others do without. */
static void publish_loader(const struct payload *p, const char *boot)
{
	char *path = xasprintf("%s/undionly.kpxe", boot);
	struct error ignored;

	if (access(path, F_OK) && !publish(p, boot, "undionly.kpxe", path, &ignored))
		unlink(path);
	free(path);
}

bool payload_arm(const struct payload *p, const struct inventory *inventory, const struct inventory_machine *machine,
		 struct error *error)
{
	const char *boot = inventory->lab.folders.boot;
	char *folder = node_path(inventory, machine, ""), *efi = node_path(inventory, machine, "/job.efi");
	bool good = file_make_folders(folder, error) && write_script(p, inventory, machine, error);

	if (good && machine->firmware == FIRMWARE_UEFI)
		good = publish(p, boot, "job.efi", efi, error);
	publish_loader(p, boot);
	free(efi);
	free(folder);
	return good;
}

void payload_disarm(const struct inventory *inventory, const struct inventory_machine *machine)
{
	static const char *const tails[] = {".ipxe", "/job.efi"};

	for (size_t i = 0; i < array_size(tails); i++) {
		char *path = node_path(inventory, machine, tails[i]);

		if (unlink(path) && errno != ENOENT)
			complain("%s: cannot remove %s: %s", machine->name, path, strerror(errno));
		free(path);
	}
}

void payload_free(struct payload *payload)
{
	free(payload->title);
	*payload = (struct payload){0};
}
