/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "program.h"

#include "host/file.h"
#include "host/mem.h"
#include "measure/child.h"
#include "result/result.h"

#include "build.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

char folder[] = "/tmp/hbench-program-XXXXXX";
char *output; /* stdout and stderr of the last call */

char *in_folder(const char *name)
{
	return xasprintf("%s/%s", folder, name);
}

void read_output(const char *path)
{
	struct error error;
	size_t size;

	free(output);
	output = file_read(path, 1 << 24, &size, &error);
	assert_non_null(output);
}

/* The next word at *at, which is cut off there and *at moved behind it; NULL if there is none. */
static char *next_word(char **at)
{
	char *word = *at + strspn(*at, " "), *end;

	if (!*word)
		return NULL;
	end = *word == '\'' ? strchr(++word, '\'') : word + strcspn(word, " ");
	assert_non_null(end);
	*at = *end ? end + 1 : end;
	*end = '\0';
	return word;
}

int hbench(const char *words)
{
	char *copy = xstrdup(words), *rest = copy, *argv[40] = {(char *)TEST_PROGRAM}, *path = in_folder("output");
	int fd = open(path, O_CREAT | O_TRUNC | O_WRONLY | O_APPEND | O_CLOEXEC, 0600), count = 1;
	struct child child;
	struct error error;

	for (char *word = next_word(&rest); word; word = next_word(&rest)) {
		assert_true(count < 39);
		argv[count++] = word;
	}
	assert_true(child_start(&child, argv, folder, fd, fd, &error));
	for (int i = 0; i < 30000 && !child_ended(&child); i++)
		usleep(10000);
	assert_true(child_ended(&child));
	close(fd);
	read_output(path);
	free(path);
	free(copy);
	return WIFEXITED(child.status) ? WEXITSTATUS(child.status) : 128 + WTERMSIG(child.status);
}

void expect(int code, const char *words)
{
	int got = hbench(words);

	if (got != code)
		fail_msg("`hbench %s` gave %d instead of %d:\n%s", words, got, code, output);
}

void has(const char *part)
{
	if (!strstr(output, part))
		fail_msg("`%s` is not in:\n%s", part, output);
}

void lacks(const char *part)
{
	if (strstr(output, part))
		fail_msg("`%s` is in:\n%s", part, output);
}

void write_file(const char *name, const char *data, size_t size)
{
	char *path = in_folder(name);
	struct error error;

	assert_true(file_replace(path, data, size, &error));
	free(path);
}

bool exists(const char *name)
{
	char *path = in_folder(name);
	bool there = !access(path, F_OK);

	free(path);
	return there;
}

bool has_data(const char *name)
{
	char *path = in_folder(name);
	struct stat data;
	bool some = !stat(path, &data) && data.st_size > 0;

	free(path);
	return some;
}

/* What the machine of the next run prints, and how it ends. */
void machine(const char *log, const char *status, bool hangs)
{
	char *path = xasprintf(TEST_DATA "/%s.log", log);

	setenv("HBENCH_FAKE_LOG", path, 1);
	setenv("HBENCH_FAKE_STATUS", status, 1);
	setenv("HBENCH_FAKE_HANG", hangs ? "1" : "0", 1);
	unsetenv("HBENCH_FAKE_MESSAGE");
	free(path);
}

int set_up(void **state)
{
	static const char elf32[] = "\177ELF\1\1\1\0\0\0\0\0\0\0\0\0", elf64[] = "\177ELF\2\1\1\0\0\0\0\0\0\0\0\0";

	(void)state;
	assert_non_null(mkdtemp(folder));
	write_file("kernel.elf", elf32, sizeof(elf32) - 1);
	write_file("kernel64.elf", elf64, sizeof(elf64) - 1);
	write_file("root.elf", elf64, sizeof(elf64) - 1);
	setenv("HBENCH_SUITES", TEST_SUITES, 1);
	setenv("HBENCH_QEMU", TEST_EMULATOR, 1);
	char *db = in_folder("history.db");

	setenv("HBENCH_DB", db, 1);
	free(db);
	setenv("SOURCE_DATE_EPOCH", "1700000000", 1);
	setenv("NO_COLOR", "1", 1);
	return 0;
}

static int remove_one(const char *path, const struct stat *data, int type, struct FTW *walk)
{
	(void)data;
	(void)type;
	(void)walk;
	return remove(path);
}

int tear_down(void **state)
{
	(void)state;
	free(output);
	return nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* A result with these minima of two benchmarks; 0 leaves one out. */
void make_result(const char *file, const char *machine_id, const char *metric, uint64_t one, uint64_t two)
{
	char *path = in_folder(file);
	struct result r;
	struct error error;

	result_init(&r, machine_id, "ipc", metric);
	result_set_text(&r, "date", "2024-01-01T00:00:00+00:00");
	if (one)
		build_constant(&r, "ipc/null", one, 64);
	if (two)
		build_constant(&r, "ipc/call_reply_cross/words:0", two, 64);
	result_merge(&r);
	assert_true(result_save(&r, path, &error));
	result_free(&r);
	free(path);
}
