/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "measure/image.h"

#include "host/file.h"
#include "host/hash.h"
#include "host/mem.h"
#include "measure/elf_info.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { IMAGE_MAX = 256 << 20 };

const char *image_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

bool image_check(const char *path, bool *is_64, struct error *error)
{
	struct elf_info elf;
	size_t size;
	char *data = file_read(path, IMAGE_MAX, &size, error);
	bool good = data && elf_info_read(&elf, data, size);

	if (data && !good)
		error_store(error, "%s is not an ELF file", path);
	if (good)
		*is_64 = elf.is_64;
	free(data);
	return good;
}

static void note(struct result *result, const char *kind, const char *what, const char *text)
{
	char *key = xasprintf("%s_%s", kind, what);

	result_set_text(result, key, text);
	free(key);
}

/* A machine that boots from elsewhere than one thinks. Its console has told which kernel ran, if it tells that. */
static bool note_build(struct result *result, const char *kind, const char *path, const char *id, struct error *error)
{
	char *key = xasprintf("%s_build_id", kind);
	const char *ran = result_text(result, key);
	bool good = !*ran || !strcmp(ran, id) ||
		    error_set(error, "%s is not the %s that ran: its build id is %s, and the machine's %s", path,
			      kind, id, ran);

	if (good)
		result_set_text(result, key, id);
	free(key);
	return good;
}

bool image_note(struct result *result, const char *kind, const char *path, struct error *error)
{
	char hash[65], *data;
	struct elf_info elf;
	bool good = true;
	size_t size;

	data = file_read(path, IMAGE_MAX, &size, error);
	if (!data)
		return false;
	if (!hash_sha256(data, size, hash))
		snprintf(hash, sizeof(hash), "unknown");
	note(result, kind, "file", image_name(path));
	note(result, kind, "sha256", hash);
	if (elf_info_read(&elf, data, size) && elf.build_id[0])
		good = note_build(result, kind, path, elf.build_id, error);
	free(data);
	return good;
}
