/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The program in a folder of its own, for tests of it as a whole: calls with their output, files, fake machines. */
#pragma once

#include "test.h"

#include <stdbool.h>

/* A word for hbench(): the path of a file in bench/tests/data. */
#define DATA_WORD(name) "'" TEST_DATA "/" name "'"

extern char folder[];
extern char *output; /* stdout and stderr of the last call */

int set_up(void **state);
int tear_down(void **state);

/* A path in the folder; to be freed. */
char *in_folder(const char *name);

/*
 * Runs `hbench WORDS` in the folder and returns its exit code. Words are separated by blanks; one in single quotes
 * may contain blanks, like the path of the sources.
 */
int hbench(const char *words);

/* The same, and the exit code has to be this. */
void expect(int code, const char *words);

/* What the last output, or file that was read, contains or not. */
void has(const char *part);
void lacks(const char *part);
void read_output(const char *path);

void write_file(const char *name, const char *data, size_t size);
bool exists(const char *name);
bool has_data(const char *name);

/* What the emulator of the next run prints, and how it ends. */
void machine(const char *log, const char *status, bool hangs);

/* A result with these minima of two benchmarks; 0 leaves one out. */
void make_result(const char *file, const char *machine_id, const char *metric, uint64_t one, uint64_t two);
