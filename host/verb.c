/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "host/verb.h"

#include "host/exit_code.h"
#include "host/mem.h"

#include <argp.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Keys of options without a letter start here, beyond all characters. */
enum { KEY_FIRST = 256 };

struct parsing {
	const struct verb *verb;
	char **args;
	unsigned count;
};

static size_t option_count(const struct verb *verb)
{
	size_t count = 0;

	while (verb->options && verb->options[count].name)
		count++;
	return count;
}

static int option_key(const struct option_spec *option, size_t index)
{
	return option->letter ? option->letter : KEY_FIRST + (int)index;
}

void verb_usage(const struct verb *verb, const char *fmt, ...)
{
	va_list args;

	fprintf(stderr, "%s %s: ", program.name, verb->name);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fprintf(stderr, "\nTry `%s %s --help'.\n", program.name, verb->name);
	exit(EXIT_USAGE);
}

static unsigned number(const struct verb *verb, const struct option_spec *option, const char *text)
{
	char *end;
	unsigned long value;

	errno = 0;
	value = strtoul(text, &end, 10);
	if (errno || end == text || *end || *text == '-' || value < option->min || value > option->max)
		verb_usage(verb, "--%s must be a number from %u to %u", option->name, option->min, option->max);
	return (unsigned)value;
}

static void add_text(const struct verb *verb, const struct option_spec *option, const char *text)
{
	struct texts *texts = option->out;

	if (texts->count == TEXTS_MAX)
		verb_usage(verb, "--%s can be given %d times at most", option->name, TEXTS_MAX);
	texts->text[texts->count++] = text;
}

static void take(const struct verb *verb, const struct option_spec *option, const char *text)
{
	switch (option->type) {
	case OPTION_FLAG:
		*(bool *)option->out = true;
		break;
	case OPTION_TEXT:
		*(const char **)option->out = text;
		break;
	case OPTION_MAYBE:
		*(const char **)option->out = text ? text : "";
		break;
	case OPTION_NUMBER:
		*(unsigned *)option->out = number(verb, option, text);
		break;
	case OPTION_TEXTS:
		add_text(verb, option, text);
		break;
	}
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct parsing *p = state->input;

	for (size_t i = 0; i < option_count(p->verb); i++)
		if (option_key(&p->verb->options[i], i) == key) {
			take(p->verb, &p->verb->options[i], arg);
			return 0;
		}
	if (key != ARGP_KEY_ARGS)
		return ARGP_ERR_UNKNOWN;
	p->args = state->argv + state->next;
	p->count = (unsigned)(state->argc - state->next);
	return 0;
}

static struct argp_option *argp_options(const struct verb *verb)
{
	struct argp_option *out = xcalloc(option_count(verb) + 1, sizeof(*out));

	for (size_t i = 0; i < option_count(verb); i++) {
		const struct option_spec *o = &verb->options[i];

		out[i] = (struct argp_option){o->name, option_key(o, i),
					      o->arg,  o->type == OPTION_MAYBE ? OPTION_ARG_OPTIONAL : 0,
					      o->doc,  0};
	}
	return out;
}

char *verb_examples(const struct verb *verb)
{
	char *text = xstrdup(verb->examples), *at;

	while ((at = strstr(text, "$0"))) {
		char *longer = xasprintf("%.*s%s%s", (int)(at - text), text, program.name, at + 2);

		free(text);
		text = longer;
	}
	return text;
}

/* argp's convention: a vertical tab divides what comes before and after the options. */
static char *help_text(const struct verb *verb)
{
	char *examples = verb_examples(verb);
	char *text = xasprintf("%s\v%s%sExamples:\n%s", verb->doc, verb->more ? verb->more : "",
			       verb->more ? "\n\n" : "", examples);

	free(examples);
	return text;
}

static char empty[] = "";

int verb_run(const struct verb *verb, int argc, char **argv)
{
	char *name = xasprintf("%s %s", program.name, verb->name), *doc = help_text(verb);
	struct argp_option *options = argp_options(verb);
	/* argp leaks memory when it is given an empty list. */
	struct argp argp = {
		.options = option_count(verb) ? options : NULL, .parser = parse, .args_doc = verb->args, .doc = doc};
	struct parsing p = {.verb = verb};

	argv[0] = name;
	argp_parse(&argp, argc, argv, 0, NULL, &p);
	argv[0] = empty;
	free(options);
	free(doc);
	free(name);
	if (p.count < verb->args_min || p.count > verb->args_max)
		verb_usage(verb, "%s", verb->args_needed);
	return verb->run(p.args, p.count);
}
