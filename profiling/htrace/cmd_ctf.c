/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctf.h"
#include "host/file.h"
#include "htrace.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>

static struct {
	const char *output;
} o;

static const struct option_spec options[] = {
	{"output", 'o', OPTION_TEXT, "DIR", "Folder to make; needed", &o.output, 0, 0, NULL},
	OPTION_END,
};

/* Every file in the folder would be read as a part of the trace. */
static bool make_empty_folder(const char *path, struct error *error)
{
	const struct dirent *entry;
	bool empty = true;
	DIR *folder;

	if (!file_make_folders(path, error))
		return false;
	folder = opendir(path);
	if (!folder)
		return error_set(error, "cannot look into %s: %s", path, strerror(errno));
	while (empty && (entry = readdir(folder)))
		empty = !strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..");
	closedir(folder);
	return empty || error_set(error, "%s is not empty: what is in it would become a part of the trace", path);
}

static bool show(const struct view *view)
{
	struct error error;
	bool good = make_empty_folder(o.output, &error) && ctf_write(view, o.output, &error);

	if (!good)
		complain("%s", error.text);
	return good;
}

static int run(char **args, unsigned count)
{
	const struct view_files none = {NULL, NULL};

	(void)count;
	if (!o.output)
		verb_usage(&verb_ctf, "--output is needed");
	return view_with(args[0], &none, show);
}

const struct verb verb_ctf = {
	.name = "ctf",
	.summary = "write a folder in the Common Trace Format",
	.args = "FILE",
	.doc = "Write the trace in the Common Trace Format 1.8, which babeltrace2 and Trace Compass read: a stream "
	       "for each "
	       "CPU.",
	.examples = "  htrace ctf -o new.ctf new.htrace\n"
		    "  babeltrace2 new.ctf\n",
	.options = options,
	.args_min = 1,
	.args_max = 1,
	.args_needed = "one trace is needed",
	.run = run,
};
