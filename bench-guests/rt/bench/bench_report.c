/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The lines of docs/bench-protocol.md; the screen is told, too (bench_table.h). Locking: none, only the EC that runs
 * the benchmarks reports. */
#include "rt/bench/bench_report.h"

#include "rt/bench/bench_machine.h"
#include "rt/bench/bench_place.h"
#include "rt/bench/bench_table.h"
#include "rt/cmdline.h"
#include "rt/console.h"
#include "rt/crc32.h"
#include "rt/fmt.h"
#include "rt/hip.h"
#include "rt/size.h"

#define PROTOCOL 3
#define LINE_MAX 131072 /* bytes; no more than hbench reads */
#define TEXT_MAX 120    /* characters of a text in a line */
#define PREFIX "HBENCH "
#define SEAL ",\"crc\":\"%08x\"}\n" /* over all from the opening brace on */
#define SEAL_ROOM sizeof(",\"crc\":\"xxxxxxxx\"}\n")

static struct {
	char text[LINE_MAX];
	size_t len;
} line;

static const char *suite;
static unsigned lines; /* that were written: the number of the next one */

static void add(const char *fmt, ...) RT_PRINTF(1, 2);

static void add(const char *fmt, ...)
{
	size_t room = sizeof(line.text) - line.len;
	va_list ap;

	va_start(ap, fmt);
	line.len += rt_min((size_t)rt_vsnprintf(line.text + line.len, room, fmt, ap), room - 1);
	va_end(ap);
}

/* A JSON string: what is not printable ASCII becomes a question mark. */
static void add_string(const char *name, const char *text)
{
	add(",\"%s\":\"", name);
	for (unsigned i = 0; text[i] && i < TEXT_MAX; i++) {
		char c = text[i];

		if (c == '"' || c == '\\')
			add("\\");
		add("%c", c < ' ' || c > '~' ? '?' : c);
	}
	add("\"");
}

static void begin(const char *type)
{
	line.len = 0;
	add(PREFIX "{\"type\":\"%s\",\"line\":%u", type, lines);
}

static void end(void)
{
	const size_t prefix = sizeof(PREFIX) - 1;

	add(SEAL, rt_crc32(line.text + prefix, line.len - prefix));
	rt_report(line.text, line.len);
	lines++;
}

static void begin_case(const char *type, const struct bench_subject *subject)
{
	const struct bench_case *c = subject->c;
	char value[64];

	begin(type);
	add_string("suite", suite);
	add_string("case", c->name);
	add(",\"params\":{");
	if (c->param) /* numbers are numbers */
		add(c->texts ? "\"%s\":\"%s\"" : "\"%s\":%s", c->param,
		    bench_subject_value(subject, value, sizeof(value)));
	if (subject->way->param)
		add("%s\"%s\":\"%s\"", c->param ? "," : "", subject->way->param, subject->way->value);
	add("}");
}

static void add_cpu(void)
{
	const struct bench_cpu *cpu = bench_machine_cpu();
	const char *name = cpu->brand;

	while (*name == ' ')
		name++;
	add_string("cpu", name);
	add_string("vendor", cpu->vendor);
	add(",\"family\":%u,\"model\":%u,\"stepping\":%u", cpu->family, cpu->model, cpu->stepping);
	add(",\"tsc_khz\":%u,\"tsc_invariant\":%s", rt_hip->freq_tsc, cpu->tsc_invariant ? "true" : "false");
}

/* What the kernel's first line on the console shows in part, and without a checksum. */
static void add_build_id(void)
{
	const uint8_t *id = rt_hip_build_id();

	if (!id)
		return;
	add(",\"kernel_build_id\":\"");
	for (unsigned i = 0; i < HIP_BUILD_ID_SIZE; i++)
		add("%02x", id[i]);
	add("\"");
}

/* What is not known is left out. */
static void add_machine(void)
{
	uint32_t microcode = bench_machine_microcode();
	uint64_t capabilities = bench_machine_capabilities();
	char features[48], hypervisor[13], firmware[32];
	int smt = bench_machine_smt();

	bench_machine_features(features);
	bench_machine_hypervisor(hypervisor);
	bench_machine_firmware(firmware);
	add_string("features", features);
	if (capabilities)
		add(",\"arch_capabilities\":\"0x%lx\"", capabilities);
	if (microcode)
		add(",\"microcode\":\"0x%x\"", microcode);
	if (smt)
		add(",\"smt\":%s", smt > 0 ? "true" : "false");
	if (*hypervisor)
		add_string("hypervisor", hypervisor);
	if (*firmware)
		add_string("firmware", firmware);
	add(",\"memory_mb\":%lu", bench_machine_memory());
}

void bench_report_run(const char *name, bool traced, const char *frequency)
{
	suite = name;
	lines = 0;
	begin("run");
	add(",\"protocol\":%d", PROTOCOL);
	add_string("suite", suite);
	add_string("kernel", "");
	add_build_id();
	add(",\"api\":%u", rt_hip->api_ver);
	add_cpu();
	add(",\"cpus\":%u", rt_cpu_count());
	add_string("cmdline", rt_cmdline());
	add_machine();
	if (*frequency)
		add_string("frequency", frequency);
	if (bench_place_seed())
		add(",\"placement\":%lu", bench_place_seed());
	if (traced)
		add(",\"traced\":true");
	end();
}

/* Smallest value that at least `permille` of the values do not exceed. */
static uint64_t percentile(const struct bench_sample *s, unsigned permille)
{
	unsigned rank = (s->n * permille + 999) / 1000;

	return s->values[rank ? rank - 1 : 0];
}

/* No bin is wider than 0.8% of its values; a line holds those of any values below 2^20. */
#define BINS 128

/* Bins are 1 wide below 2 * bins, then `bins` per power of two. */
static void bin_of(uint64_t v, unsigned bins, uint64_t *lower, uint64_t *width)
{
	*width = v < 2 * bins ? 1 : (1ul << (63 - __builtin_clzl(v))) / bins;
	*lower = v & -*width;
}

static void add_bins(const char *name, const uint64_t *values, unsigned n, unsigned bins)
{
	uint64_t lower, width;

	add(",\"%s\":[", name);
	for (unsigned i = 0, count; i < n; i += count) {
		bin_of(values[i], bins, &lower, &width);
		for (count = 1; i + count < n && values[i + count] - lower < width; count++)
			;
		add("%s[%lu,%lu,%u]", i ? "," : "", lower, width, count);
	}
	add("]");
}

/* So few that the histogram fits into a line, whatever the values. */
#define CALIBRATION_BINS 4

void bench_report_calibration(const struct bench_calibration *cal, const struct bench_skew *skew)
{
	begin("calibration");
	add(",\"unit\":\"tsc\",\"overhead\":%lu,\"overhead_max\":%lu,\"stable\":%s", cal->overhead, cal->overhead_max,
	    cal->stable ? "true" : "false");
	if (cal->clock)
		add(",\"clock\":%u", cal->clock);
	if (skew->cpus)
		add(",\"skew\":%lu,\"skew_bound\":%lu", skew->certain,
		    (unsigned long)(-skew->least > skew->most ? -skew->least : skew->most));
	add_bins("hist", cal->empty, cal->empty_count, CALIBRATION_BINS);
	end();
}

/* False if the line got too long. */
static bool add_hist(const struct bench_sample *s, unsigned bins)
{
	add_bins("hist", s->values, s->n, bins);
	if (s->smi_known)
		add_bins("smi_hist", s->smi, s->smi_count, bins);
	return line.len < sizeof(line.text) - SEAL_ROOM;
}

static void add_order(const struct bench_sample *s)
{
	add(",\"order\":[");
	for (unsigned i = 0; i < BENCH_ORDER; i++)
		add("%s%lu", i ? "," : "", s->order[i]);
	add("]");
}

void bench_report_sample(const struct bench_subject *subject, const struct bench_sample *s)
{
	uint64_t sum = 0;
	size_t mark;
	char name[TEXT_MAX];

	for (unsigned i = 0; i < s->n; i++)
		sum += s->values[i];
	begin_case("sample", subject);
	add(",\"unit\":\"%s\",\"batch\":%u,\"n\":%u,\"overhead\":%lu", subject->way->unit, s->batch, s->n,
	    s->overhead);
	if (s->per > 1)
		add(",\"per\":%u", s->per);
	add(",\"min\":%lu,\"p50\":%lu,\"p90\":%lu,\"p99\":%lu,\"p999\":%lu,\"max\":%lu,\"sum\":%lu", s->values[0],
	    percentile(s, 500), percentile(s, 900), percentile(s, 990), percentile(s, 999), s->values[s->n - 1], sum);
	if (s->n >= BENCH_ORDER)
		add_order(s);
	mark = line.len;
	for (unsigned bins = BINS; !add_hist(s, bins) && bins > 1; bins /= 2)
		line.len = mark;
	end();
	bench_subject_name(subject, true, name, sizeof(name));
	bench_table_number(name, s->values[0] * 1000 / s->per, percentile(s, 500) * 1000 / s->per,
			   s->values[s->n - 1] * 1000 / s->per);
}

static void report_why(const char *type, const struct bench_subject *subject, const char *why)
{
	char name[TEXT_MAX];

	begin_case(type, subject);
	add_string("why", why);
	end();
	bench_subject_name(subject, true, name, sizeof(name));
	bench_table_word(name, type, why);
}

void bench_report_skip(const struct bench_subject *subject, const char *why)
{
	report_why("skip", subject, why);
}
void bench_report_fail(const struct bench_subject *subject, const char *why)
{
	report_why("fail", subject, why);
}

static void add_sizes(const struct bench_finding *f)
{
	const char *separator = "";

	add(",\"sizes\":[");
	for (unsigned i = 0; i < f->bin_count; i++) {
		const struct bench_bin *bin = &f->bins[i];

		if (!bin->count)
			continue;
		add("%s[%lu,%lu,%lu]", separator, bin->lower, bin->width, bin->count);
		separator = ",";
	}
	add("]");
}

void bench_report_finding(const struct bench_finding *f)
{
	begin("finding");
	add_string("name", f->name);
	add_string("weight", f->weight);
	if (f->state)
		add_string("state", f->state);
	else
		add(",\"amount\":%lu", f->amount);
	if (f->bin_count)
		add_sizes(f);
	if (*f->why)
		add_string("why", f->why);
	end();
}

void bench_report_end(uint64_t drift)
{
	begin("end");
	add(",\"lines\":%u", lines);
	if (drift)
		add(",\"drift\":%lu", drift);
	end();
}
