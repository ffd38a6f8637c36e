/* SPDX-License-Identifier: GPL-2.0-or-later */
/* RFC 4180, with LF at the end of lines. */
#include "host/compiler.h"
#include "report/report.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

static void text(FILE *out, const char *s)
{
	bool quoted = strpbrk(s, ",\"\n");

	if (quoted)
		fputc('"', out);
	for (; *s; s++)
		fprintf(out, *s == '"' ? "\"\"" : "%c", *s);
	fputs(quoted ? "\"," : ",", out);
}

static void line(FILE *out, const struct result *r, const char *name, size_t boot, const struct sample *s)
{
	const uint64_t ticks[] = {s->min, s->p50, s->p90, s->p99, s->p999, s->max, s->sum};

	text(out, result_text(r, "machine"));
	text(out, result_text(r, "metric"));
	text(out, name);
	fprintf(out, "%zu,%ju,%ju", boot, (uintmax_t)s->n, (uintmax_t)s->batch);
	for (size_t i = 0; i < array_size(ticks); i++) {
		if (s->per > 1)
			fprintf(out, ",%.17g", sample_ticks(s, ticks[i]));
		else
			fprintf(out, ",%ju", (uintmax_t)ticks[i]);
	}
	fputc('\n', out);
}

void report_csv(FILE *out, const struct result *result)
{
	fputs("machine,metric,name,boot,n,batch,min,p50,p90,p99,p99.9,max,sum\n", out);
	for (size_t i = 0; i < result->count; i++) {
		const struct benchmark *b = &result->benchmarks[i];

		for (size_t boot = 0; boot < b->boot_count; boot++)
			line(out, result, b->name, boot + 1, &b->boots[boot]);
	}
}
