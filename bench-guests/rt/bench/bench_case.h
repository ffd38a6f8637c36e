/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a suite consists of. */
#pragma once

#include <stdint.h>

struct bench_case {
	const char *name;
	const char *param;        /* name of the parameter, null for none */
	const long *values;       /* its values, `count` of them ... */
	const char *const *texts; /* ... or texts; the value is then the index */
	unsigned count;
	unsigned windows;                 /* 0: the default */
	unsigned batch;                   /* operations per window; 0: 1 */
	const char *(*setup)(long value); /* null: no preparation. Result: null, or why it is skipped */
	uint64_t (*window)(void);
	const char *(*valid)(void); /* after the windows: null, or what was wrong */
	void (*teardown)(void);     /* also after a setup that gave up */
};

/* Parameter lists: .param = "words", BENCH_VALUES(0, 1, 8). */
#define BENCH_VALUES(...) \
	.values = (const long[]){__VA_ARGS__}, .count = sizeof((const long[]){__VA_ARGS__}) / sizeof(long)
#define BENCH_TEXTS(...)                             \
	.texts = (const char *const[]){__VA_ARGS__}, \
	.count = sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *)
