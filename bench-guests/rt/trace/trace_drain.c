/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The lines of docs/bench-protocol.md, "Traces". */
#include "rt/trace/trace_drain.h"

#include "rt/console.h"
#include "rt/crc32.h"
#include "rt/fmt.h"
#include "rt/hip.h"
#include "rt/pool.h"
#include "rt/size.h"

#define RECORDS_IN_LINE 128
#define LINE_MAX (RECORDS_IN_LINE * sizeof(struct trace_record) * 2 + 256)

static struct {
	char *text; /* LINE_MAX bytes */
	size_t len;
	unsigned count; /* of lines */
} line;

static void add(const char *fmt, ...) RT_PRINTF(1, 2);

static void add(const char *fmt, ...)
{
	size_t room = LINE_MAX - line.len;
	va_list ap;

	va_start(ap, fmt);
	line.len += rt_min((size_t)rt_vsnprintf(line.text + line.len, room, fmt, ap), room - 1);
	va_end(ap);
}

static void add_hex(const void *data, size_t size)
{
	const uint8_t *bytes = data;

	for (size_t i = 0; i < size; i++) {
		line.text[line.len++] = "0123456789abcdef"[bytes[i] >> 4];
		line.text[line.len++] = "0123456789abcdef"[bytes[i] & 15];
	}
}

static void begin(const char *type)
{
	line.len = 0;
	add("HTRACE {\"type\":\"%s\",\"line\":%u", type, line.count++);
}

static void end(void)
{
	const size_t prefix = sizeof("HTRACE ") - 1;

	add(",\"crc\":\"%08x\"}\n", rt_crc32(line.text + prefix, line.len - prefix));
	rt_report(line.text, line.len);
}

static void send_begin(const struct trace_plan *plan)
{
	begin("begin");
	add(",\"version\":%u,\"tsc_khz\":%u,\"events\":%lu,\"paths\":%lu,\"counters\":%lu,\"period\":%lu",
	    TRACE_VERSION, rt_hip->freq_tsc, plan->events, plan->paths, plan->counters, plan->period);
	end();
}

/*
 * Copies a record as the kernel wrote it. False if it has been overwritten or was never finished: `seq` is written
 * last, so the copy is whole if it is right before and after.
 */
static bool take(const struct trace_head *head, uint64_t number, struct trace_record *out)
{
	const struct trace_record *ring = (const void *)((const uint8_t *)head + head->ring_offset);
	const struct trace_record *r = &ring[number & (head->records - 1)];

	if (__atomic_load_n(&r->seq, __ATOMIC_ACQUIRE) != (uint32_t)(number + 1))
		return false;
	*out = *r;
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	return __atomic_load_n(&r->seq, __ATOMIC_RELAXED) == out->seq;
}

static void send_records(const struct trace_head *head, uint64_t first)
{
	static struct trace_record list[RECORDS_IN_LINE];

	while (first < head->written) {
		unsigned n = 0;

		for (; n < RECORDS_IN_LINE && first < head->written; first++)
			n += take(head, first, &list[n]);
		if (!n)
			return;
		begin("records");
		add(",\"cpu\":%u,\"data\":\"", head->cpu);
		add_hex(list, n * sizeof(*list));
		add("\"");
		end();
	}
}

static unsigned long count_records(const struct trace_head *head, uint64_t first)
{
	struct trace_record ignored;
	unsigned long n = 0;

	for (; first < head->written; first++)
		n += take(head, first, &ignored);
	return n;
}

/* Bins that nothing was in behind the last one are not sent. */
static void send_path(const struct trace_head *head, unsigned number)
{
	const struct trace_path *path =
		(const struct trace_path *)((const uint8_t *)head + head->path_offset) + number;
	unsigned bins = TRACE_BINS;

	if (!path->count)
		return;
	while (bins && !path->bins[bins - 1])
		bins--;
	begin("path");
	add(",\"cpu\":%u,\"path\":%u,\"data\":\"", head->cpu, number);
	add_hex(path, offsetof(struct trace_path, bins) + bins * sizeof(path->bins[0]));
	add("\"");
	end();
}

static void send_cpu(const struct trace_head *head, unsigned long limit)
{
	uint64_t kept = rt_min(rt_min(limit, head->records), head->written), first = head->written - kept;

	begin("cpu");
	add(",\"cpu\":%u,\"written\":%lu,\"records\":%lu", head->cpu, head->written, count_records(head, first));
	end();
	send_records(head, first);
	for (unsigned i = 0; i < TRACE_PATHS; i++)
		send_path(head, i);
}

static void send_case(const struct trace_case *c)
{
	begin("case");
	add(",\"name\":\"%s\",\"begin\":%lu,\"end\":%lu", c->name, c->begin, c->end);
	end();
}

static void send_none(const char *why)
{
	begin("none");
	add(",\"why\":\"%s\"", why);
	end();
}

void trace_drain(const struct trace_plan *plan)
{
	line.text = rt_pages((LINE_MAX + RT_PAGE - 1) / RT_PAGE);
	if (plan->why) {
		send_none(plan->why);
		return;
	}
	send_begin(plan);
	for (unsigned cpu = 0; cpu < HEDRON_CPU_MAX; cpu++)
		if (plan->areas[cpu])
			send_cpu(plan->areas[cpu], plan->records);
	for (unsigned long i = 0; i < plan->cases; i++)
		send_case(&plan->list[i]);
	begin("end");
	end();
}
