/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A verb of the command line (`hbench VERB`) as data: its options, arguments and help. Parsing, `--help`, the
 * completion of shells and the manual page all come from here, so they cannot disagree.
 */
#pragma once

#include "host/compiler.h"

enum option_type {
	OPTION_FLAG,   /* out: bool */
	OPTION_TEXT,   /* out: const char * */
	OPTION_MAYBE,  /* out: const char *, "" when it is given without a value */
	OPTION_NUMBER, /* out: unsigned, from min to max */
	OPTION_TEXTS,  /* out: struct texts; may be given several times */
};

enum { TEXTS_MAX = 32 };

struct texts {
	const char *text[TEXTS_MAX];
	unsigned count;
};

struct option_spec {
	const char *name;
	char letter; /* 0: none */
	enum option_type type;
	const char *arg; /* what the value is called; NULL for flags */
	const char *doc;
	void *out;
	unsigned min, max;
	const char *words; /* values to complete, separated by blanks; NULL: files */
};

struct verb {
	const char *name, *summary;
	const char *args;                  /* "RESULT...", "" for none */
	const char *args_words;            /* what arguments a shell can complete; NULL: files */
	const char *doc;                   /* a paragraph */
	const char *more;                  /* more paragraphs, after the options; or NULL */
	const char *examples;              /* one a line; $0 is the program */
	const struct option_spec *options; /* ends with one without a name */
	unsigned args_min, args_max;
	const char *args_needed; /* what to say when there are too few or too many */
	int (*run)(char **args, unsigned count);
};

/* What a main.c defines: the program and its verbs. */
struct program {
	const char *name, *summary;
	const char *more;                /* what the help says behind the verbs */
	const char *about;               /* a paragraph for the manual page */
	const char *manual;              /* sections at the end of the manual page, in roff */
	const struct verb *const *verbs; /* NULL at the end */
};

extern const struct program program;

/* A whole main(): help, version, or the verb; its exit code. */
int verb_main(int argc, char **argv);

/* The verbs `completion` and `manual`, for programs that have them. */
extern const struct verb verb_completion, verb_manual;

/* The examples with the program's name, to be freed. */
char *verb_examples(const struct verb *verb);

/* Parses the options into their places and runs the verb; its exit code. argv[0] is the verb. */
int verb_run(const struct verb *verb, int argc, char **argv);

/* Ends the program with EXIT_USAGE and a message about this verb's use. */
_Noreturn void verb_usage(const struct verb *verb, const char *fmt, ...) printf_like(2, 3);

/* What the options of several verbs have in common. */
#define OPTION_END \
	{          \
		0  \
	}
