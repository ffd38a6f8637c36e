/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rt/bench/bench_subject.h"

#include "rt/fmt.h"

const char *bench_subject_value(const struct bench_subject *subject, char *text, size_t size)
{
	const struct bench_case *c = subject->c;

	if (c->param && c->texts)
		rt_snprintf(text, size, "%s", c->texts[subject->index]);
	else if (c->param)
		rt_snprintf(text, size, "%ld", c->values[subject->index]);
	else
		text[0] = '\0';
	return text;
}

void bench_subject_name(const struct bench_subject *subject, bool way, char *text, size_t size)
{
	const struct bench_case *c = subject->c;
	const struct bench_way *w = subject->way;
	bool tail = way && w->param;
	char value[64];

	bench_subject_value(subject, value, sizeof(value));
	rt_snprintf(text, size, "%s%s%s%s%s%s%s%s%s", c->name, c->param ? "/" : "", c->param ? c->param : "",
		    c->param ? ":" : "", value, tail ? "/" : "", tail ? w->param : "", tail ? ":" : "",
		    tail ? w->value : "");
}
