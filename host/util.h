/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What every part of hbench needs: memory that is there or ends the program, errors with a text, whole files. */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#define array_size(a) (sizeof(a) / sizeof((a)[0]))
#define must_check __attribute__((warn_unused_result))
#define printf_like(f, a) __attribute__((format(printf, f, a)))

/* Exit codes of every verb; a gate in a CI job tells the cases apart by them. */
enum exit_code {
	EXIT_SAME_OR_BETTER = 0,
	EXIT_REGRESSED = 1,
	EXIT_USAGE = 2,
	EXIT_NOT_ENOUGH_DATA = 3,
	EXIT_RUN_INVALID = 4,
	EXIT_BENCHMARK_MISSING = 5,
	EXIT_INTERRUPTED = 130,
};

/* One message for the user: what is wrong, and what to do about it. */
struct error {
	char text[1024];
};

/* Stores the message; the value of error_set() is false, so that a function can return it. */
#define error_set(error, ...) (error_store(error, __VA_ARGS__), false)
void error_store(struct error *error, const char *fmt, ...) printf_like(2, 3);

/* Prints "program: message" to stderr. */
void complain(const char *fmt, ...) printf_like(1, 2);

void *xcalloc(size_t count, size_t size);
void *xreallocarray(void *old, size_t count, size_t size);
char *xstrdup(const char *s);
char *xasprintf(const char *fmt, ...) printf_like(1, 2);
char *xvasprintf(const char *fmt, va_list args) printf_like(1, 0);

/* Frees a NULL-terminated array of strings. */
void strings_free(char **strings);

/* Reads a whole file of at most max bytes; a NUL follows the data. NULL on error. */
char *file_read(const char *path, size_t max, size_t *size, struct error *error) must_check;

/* Replaces a file in one step: readers see the old or the new content, never a part. */
bool file_replace(const char *path, const char *data, size_t size, struct error *error) must_check;

/* mkdir -p */
bool make_folders(const char *path, struct error *error) must_check;

/* rm -rf; a folder that is not there is none to remove. */
void remove_folder(const char *path);

/* 64 lowercase hexadecimal digits. */
bool sha256_hex(const void *data, size_t size, char out[65]);

/* Seconds on a clock that never goes back. */
double seconds_now(void);

/* The time to write into files: SOURCE_DATE_EPOCH when set, else now; ISO 8601, UTC. */
void date_now(char out[32]);

/* Writes len bytes with control and non-ASCII characters made visible, so that a log cannot drive the terminal. */
void write_harmless(FILE *out, const char *s, size_t len);

/* Replaces control and non-ASCII characters in place by question marks. */
void make_harmless(char *text);

/* True when the stream is a terminal and the user did not set NO_COLOR. */
bool want_colour(FILE *out);
