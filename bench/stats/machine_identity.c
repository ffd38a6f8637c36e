/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "stats/machine_identity.h"

#include "host/mem.h"
#include "result/baseline.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum kind {
	DECIDES,       /* another value: another machine */
	NOISY_DECIDES, /* the same where time is measured; where instructions are counted it does not matter */
	NOISY_RUN,     /* the same, but it is a matter of what ran and not of the machine */
	ABOUT,         /* the same up to a thousandth, where time is measured */
	INFORMS,
};

static const struct field {
	const char *key, *label;
	enum kind kind;
} fields[] = {
	{"machine", "machine", DECIDES},
	{"target", "target", INFORMS},
	{"cpu_brand", "CPU", DECIDES},
	{"cpu_vendor", "CPU vendor", DECIDES},
	{"cpu_family", "CPU family", DECIDES},
	{"cpu_model_number", "CPU model", DECIDES},
	{"cpu_stepping", "CPU stepping", DECIDES},
	{"num_cpus", "CPUs", DECIDES},
	{"smt", "SMT", NOISY_DECIDES},
	{"microcode", "microcode", NOISY_DECIDES},
	{"features", "CPU features", NOISY_DECIDES},
	{"arch_capabilities", "architecture capabilities", NOISY_DECIDES},
	{"hypervisor", "hypervisor", NOISY_DECIDES},
	{"firmware", "firmware", NOISY_DECIDES},
	{"frequency", "core's frequency", NOISY_RUN},
	{"memory_mb", "memory, MiB", NOISY_DECIDES},
	{"tsc_khz", "TSC, kHz", ABOUT},
	{"tsc_invariant", "TSC is invariant", NOISY_DECIDES},
	{"emulator_version", "emulator", INFORMS},
	{"kernel_append", "kernel's words", INFORMS},
	{"roottask_cmdline", "roottask's words", INFORMS},
	{"core_clock_permille", "core's clock, 1/1000 of TSC", INFORMS},
	{"tsc_skew", "TSCs of CPUs apart, ticks", INFORMS},
	{"tsc_skew_bound", "or up to", INFORMS},
	{"tsc_drift", "and drifting by", INFORMS},
	{"control_registers", "control registers", NOISY_RUN},
	{"timer_overhead", "timer overhead, ticks", INFORMS},
	{"timer_overhead_p50", "its median", INFORMS},
	{"timer_overhead_p99", "its 99th percentile", INFORMS},
	{"timer_overhead_max", "its maximum", INFORMS},
	{"placement", "placement", INFORMS},
	{"traced", "the kernel was traced", INFORMS},
	{"library_build_type", "build of the benchmark library", INFORMS},
	{"library_version", "version of the benchmark library", INFORMS},
	{"cpu_scaling_enabled", "CPU frequency scaling", INFORMS},
};

/* A field as text, to be freed; NULL when it is not there. */
static char *text_of(const struct result *result, const char *key)
{
	const json_t *value = json_object_get(result->context, key);

	if (json_is_string(value))
		return xstrdup(json_string_value(value));
	if (json_is_integer(value))
		return xasprintf("%" JSON_INTEGER_FORMAT, json_integer_value(value));
	return json_is_boolean(value) ? xstrdup(json_is_true(value) ? "yes" : "no") : NULL;
}

static bool about_the_same(const char *a, const char *b)
{
	double x = strtod(a, NULL), y = strtod(b, NULL);

	return fabs(x - y) <= fmax(x, y) / 1000;
}

static bool agrees(const struct field *field, const char *a, const char *b)
{
	if (!a || !b)
		return true;
	return field->kind == ABOUT ? about_the_same(a, b) : !strcmp(a, b);
}

static bool decides(const struct field *field, bool exact)
{
	return field->kind == DECIDES || (!exact && field->kind != INFORMS);
}

static void add_difference(char *text, size_t size, const struct field *field, const char *a, const char *b)
{
	size_t used = strlen(text);

	snprintf(text + used, size - used, "\n  %s: \"%s\" and \"%s\"", field->label, a, b);
}

/* Machines of a class are one machine to each other. */
static char *compared_text(const struct result *result, const char *key)
{
	bool of_class = !strcmp(key, "machine") && *result_text(result, "baseline");

	return of_class ? xstrdup(baseline_name(result)) : text_of(result, key);
}

/* The fields that differ and decide; runs: also those that tell runs apart. */
static void find_differences(const struct result *a, const struct result *b, bool runs, char *text, size_t size)
{
	bool exact = !strcmp(result_text(a, "metric"), "instructions");

	*text = '\0';
	for (size_t i = 0; i < array_size(fields); i++) {
		char *of_a = compared_text(a, fields[i].key), *of_b = compared_text(b, fields[i].key);

		if (decides(&fields[i], exact) && (runs || fields[i].kind != NOISY_RUN) &&
		    !agrees(&fields[i], of_a, of_b))
			add_difference(text, size, &fields[i], of_a, of_b);
		free(of_a);
		free(of_b);
	}
}

bool machine_identity_same(const struct result *a, const struct result *b, struct error *error)
{
	char text[900];

	find_differences(a, b, true, text, sizeof(text));
	return !*text || error_set(error, "the results are of different machines:%s", text);
}

bool machine_identity_take_findings(struct result *to, const struct result *probe, struct error *error)
{
	char text[900];

	find_differences(probe, to, false, text, sizeof(text));
	if (*text)
		return error_set(error, "the probe was on another machine:%s", text);
	finding_copy(to, probe);
	return true;
}

void machine_identity_print_differences(FILE *out, const char *bullet, const struct result *a, const struct result *b)
{
	for (size_t i = 0; i < array_size(fields); i++) {
		char *of_a = text_of(a, fields[i].key), *of_b = text_of(b, fields[i].key);

		if (fields[i].kind == INFORMS && of_a && of_b && strcmp(of_a, of_b))
			fprintf(out, "%s%s: A \"%s\", B \"%s\"\n", bullet, fields[i].label, of_a, of_b);
		free(of_a);
		free(of_b);
	}
}

struct pairing {
	const struct result *b;
	void (*differs)(void *context, const struct finding *a, const struct finding *b);
	void *context;
	size_t count;
};

static void pair(void *context, const struct finding *a)
{
	struct pairing *p = context;
	struct finding b;

	if (!finding_of(p->b, a->name, &b) || finding_agrees(a, &b))
		return;
	p->count++;
	p->differs(p->context, a, &b);
}

size_t machine_identity_findings(const struct result *a, const struct result *b,
				 void (*differs)(void *context, const struct finding *a, const struct finding *b),
				 void *context)
{
	struct pairing p = {b, differs, context, 0};

	finding_each(a, pair, &p);
	return p.count;
}

struct printing {
	FILE *out;
	const char *bullet;
};

static void print_difference(void *context, const struct finding *a, const struct finding *b)
{
	const struct printing *p = context;
	const struct finding *graver = a->weight > b->weight ? a : b;
	const char *why = graver->weight > FINDING_FACT ? graver->why : "";
	finding_text of_a, of_b;

	finding_value_text(a, of_a);
	finding_value_text(b, of_b);
	fprintf(p->out, "%swarning: the machine is not as it was, %s: A \"%s\" (%s), B \"%s\" (%s)%s%s\n", p->bullet,
		a->name, of_a, finding_weight_name(a->weight), of_b, finding_weight_name(b->weight), *why ? ": " : "",
		why);
}

void machine_identity_print_findings(FILE *out, const char *bullet, const struct result *a, const struct result *b)
{
	struct printing p = {out, bullet};

	machine_identity_findings(a, b, print_difference, &p);
}

struct facts {
	void (*fact)(void *context, const char *label, const char *value);
	void *context;
};

static void print_finding_fact(void *context, const struct finding *f)
{
	const struct facts *facts = context;
	finding_text value;

	finding_value_text(f, value);
	facts->fact(facts->context, f->name, value);
}

void machine_identity_facts(const struct result *result,
			    void (*fact)(void *context, const char *label, const char *value), void *context)
{
	struct facts facts = {fact, context};

	for (size_t i = 0; i < array_size(fields); i++) {
		char *text = text_of(result, fields[i].key);

		if (text && *text)
			fact(context, fields[i].label, text);
		free(text);
	}
	finding_each(result, print_finding_fact, &facts);
}
