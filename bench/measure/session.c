/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "measure/session.h"

#include "host/line_seal.h"
#include "host/mem.h"
#include "host/trace_file.h"
#include "measure/panic_words.h"

#include <ctype.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const struct {
	const char *text, *advice;
} faults[] = {
#define FAULT_ROW(name, text, advice) {text, advice},
	FAULT_LIST(FAULT_ROW)
#undef FAULT_ROW
};

#define BOOT_LINE "Hedron Hypervisor"
#define REGISTERS "CR0 0x" /* the kernel's line with its control registers */

const char *fault_text(enum fault fault)
{
	return faults[fault].text;
}

const char *fault_advice(enum fault fault)
{
	return faults[fault].advice;
}

void session_init(struct session *session, const char *expected_suite, bool measures_time)
{
	*session = (struct session){.expected_suite = expected_suite, .measures_time = measures_time};
}

void session_fault(struct session *session, enum fault fault, const char *fmt, ...)
{
	va_list args;

	if (session->fault != FAULT_NONE)
		return;
	session->fault = fault;
	va_start(args, fmt);
	vsnprintf(session->detail.text, sizeof(session->detail.text), fmt, args);
	va_end(args);
}

/* Copies a line of the console with everything but printable ASCII replaced. */
static void keep(char *out, size_t size, const char *line, size_t len)
{
	size_t used = 0;

	for (; used < len && used + 1 < size; used++)
		out[used] = (char)(line[used] >= ' ' && line[used] <= '~' ? line[used] : '.');
	out[used] = '\0';
}

static bool contains(const char *line, size_t len, const char *word)
{
	return memmem(line, len, word, strlen(word));
}

static void boot_line(struct session *s, const char *line, size_t len)
{
	keep(s->boot_line, sizeof(s->boot_line), line, len);
	if (contains(line, len, BOOT_LINE ": refused"))
		session_fault(s, FAULT_NO_BOOT, "%s", s->boot_line);
}

/* The panic explains whatever else went wrong, and ours even another system's. */
static void panic_line(struct session *s, const char *line, size_t len)
{
	const char *words;
	enum fault fault = panic_words_find(line, len, &words);
	char text[256];

	if (fault == FAULT_NONE || s->fault == FAULT_PANIC || s->fault == fault)
		return;
	keep(text, sizeof(text), words, len - (size_t)(words - line));
	s->fault = FAULT_NONE;
	session_fault(s, fault, "%s", text);
	s->reason_follows = contains(text, strlen(text), PANIC_WORDS_XEN);
}

/* Xen: the line after "Panic on CPU 0:". */
static void reason_line(struct session *s, const char *line, size_t len)
{
	const char *words = memmem(line, len, PANIC_WORDS_XEN_LINE, strlen(PANIC_WORDS_XEN_LINE));
	size_t used = strlen(s->detail.text);

	if (!words)
		return;
	s->reason_follows = false;
	words += strlen(PANIC_WORDS_XEN_LINE);
	if (s->fault != FAULT_FOREIGN || used + 2 > sizeof(s->detail.text))
		return;
	s->detail.text[used++] = ' ';
	keep(s->detail.text + used, sizeof(s->detail.text) - used, words, len - (size_t)(words - line));
}

/*
 * The kernel writes whenever it wants to, also in the middle of a line of user land, which is damaged then. Its
 * panic, or another system's, is named; other words that explain something, that of a roottask included, go to
 * `remark`, which is "" if there are none.
 */
static void damaged_line(struct session *s, const char *line, size_t len, char *remark, size_t size)
{
	static const char *const words[] = {"panic:", "killed", "refused"};
	const char *panic = memmem(line, len, PANIC_WORDS, strlen(PANIC_WORDS));

	*remark = '\0';
	panic_line(s, panic ? panic : line, panic ? len - (size_t)(panic - line) : len);
	for (size_t i = 0; i < array_size(words) && !*remark; i++) {
		const char *at = memmem(line, len, words[i], strlen(words[i]));

		if (at)
			keep(remark, size, at, len - (size_t)(at - line));
	}
	if (*remark)
		keep(s->last_remark, sizeof(s->last_remark), remark, strlen(remark));
}

/* Who does not want a trace does not mind a damaged one. True for a line of a trace. */
static bool trace_line(struct session *s, const char *line, size_t len)
{
	const char *start = memmem(line, len, TRACE_PREFIX, strlen(TRACE_PREFIX));
	char remark[256];
	struct error error;
	bool mine;

	if (!start)
		return false;
	if (!line_seal_whole(start + strlen(TRACE_PREFIX), len - (size_t)(start - line) - strlen(TRACE_PREFIX)))
		damaged_line(s, start, len - (size_t)(start - line), remark, sizeof(remark));
	if (s->wants_trace && !trace_lines_take(&s->trace_lines, line, len, &mine, &error) && !session_over(s))
		session_fault(s, FAULT_TRACE, "%s", error.text);
	return true;
}

/* Also that of a run with another fault: it may show why. */
static void finish_trace(struct session *s)
{
	struct error error;

	if (!s->wants_trace || s->trace)
		return;
	s->trace = trace_lines_finish(&s->trace_lines, &error);
	if (!s->trace && s->seen_end)
		session_fault(s, FAULT_TRACE, "%s", error.text);
}

bool session_boots(const char *line, size_t len)
{
	return contains(line, len, BOOT_LINE) && !contains(line, len, PROTOCOL_PREFIX);
}

static void plain_line(struct session *s, const char *line, size_t len)
{
	const char *boot = memmem(line, len, BOOT_LINE, strlen(BOOT_LINE));
	const char *registers = memmem(line, len, REGISTERS, strlen(REGISTERS));

	if (boot && !s->boot_line[0])
		boot_line(s, boot, len - (size_t)(boot - line));
	if (registers && !s->registers[0])
		keep(s->registers, sizeof(s->registers), registers, len - (size_t)(registers - line));
	if (contains(line, len, "killed") || contains(line, len, "refused"))
		keep(s->last_remark, sizeof(s->last_remark), line, len);
	if (len)
		keep(s->last_line, sizeof(s->last_line), line, len);
	if (s->reason_follows)
		reason_line(s, line, len);
	panic_line(s, line, len);
}

const char *session_loose_text(const char *line, size_t *len)
{
	const char *start = memmem(line, *len, PROTOCOL_PREFIX, strlen(PROTOCOL_PREFIX));
	json_error_t where;
	json_t *object;

	if (!start)
		return line;
	start += strlen(PROTOCOL_PREFIX);
	object = json_loadb(start, *len - (size_t)(start - line), JSON_DISABLE_EOF_CHECK, &where);
	if (!object)
		return line;
	json_decref(object);
	start += where.position;
	*len -= (size_t)(start - line);
	return start;
}

static void on_run(struct session *s, struct record *r)
{
	if (s->seen_run) {
		session_fault(s, FAULT_ORDER, "a second `run` line came");
	} else if (!protocol_version_known(r->run.protocol)) {
		session_fault(s, FAULT_PROTOCOL, "it is %jd and hbench knows %d", (intmax_t)r->run.protocol,
			      PROTOCOL_VERSION);
	} else if (s->expected_suite && strcmp(s->expected_suite, r->run.suite)) {
		session_fault(s, FAULT_SUITE, "`%s` was asked for and it runs `%s`", s->expected_suite, r->run.suite);
	} else {
		s->run = r->run;
		s->sealed = r->sealed;
		s->seen_run = true;
	}
}

/* Here measuring begins: who only looks at a machine may do so on one that is of no use. */
static void on_calibration(struct session *s, struct record *r)
{
	if (s->seen_calibration) {
		session_fault(s, FAULT_ORDER, "a second `calibration` line came");
		return;
	}
	if (s->measures_time && (!s->run.tsc_invariant || !s->run.tsc_khz))
		session_fault(s, FAULT_CLOCK, "the time-stamp counter of `%s` %s", s->run.cpu,
			      s->run.tsc_invariant ? "has no known rate" : "is not invariant");
	if (!r->calibration.stable)
		session_fault(s, FAULT_UNSTABLE, "an empty measurement costs from %ju to %ju ticks",
			      (uintmax_t)r->calibration.overhead, (uintmax_t)r->calibration.overhead_max);
	s->calibration = r->calibration;
	r->calibration.hist = (struct hist){0}; /* the session owns it now */
	s->seen_calibration = true;
}

static bool known(const struct session *s, const char *name)
{
	for (size_t i = 0; i < s->measured_count; i++)
		if (!strcmp(s->measured[i].name, name))
			return true;
	for (size_t i = 0; i < s->skipped_count; i++)
		if (!strcmp(s->skipped[i].name, name))
			return true;
	return false;
}

static void add_measurement(struct session *s, struct record *r)
{
	struct measurement *m;

	s->measured = xreallocarray(s->measured, s->measured_count + 1, sizeof(*s->measured));
	m = &s->measured[s->measured_count++];
	strcpy(m->name, r->name);
	m->sample = r->sample;
	r->sample = (struct sample){0}; /* the session owns the histogram now */
}

static void add_skip(struct skip **list, size_t *count, const struct record *r)
{
	struct skip *skip;

	*list = xreallocarray(*list, *count + 1, sizeof(**list));
	skip = &(*list)[(*count)++];
	strcpy(skip->name, r->name);
	strcpy(skip->why, r->why);
}

static void on_case(struct session *s, struct record *r)
{
	if (!s->seen_calibration)
		session_fault(s, FAULT_ORDER, "%s/%s came before `calibration`", r->suite, r->name);
	else if (strcmp(r->suite, s->run.suite))
		session_fault(s, FAULT_SUITE, "%s/%s came in a run of `%s`", r->suite, r->name, s->run.suite);
	else if (r->type == RECORD_FAIL)
		add_skip(&s->failed, &s->failed_count, r); /* and go on: the user wants to see all of them */
	else if (known(s, r->name))
		session_fault(s, FAULT_DUPLICATE, "%s/%s", r->suite, r->name);
	else if (r->type == RECORD_SAMPLE)
		add_measurement(s, r);
	else
		add_skip(&s->skipped, &s->skipped_count, r);
}

static bool found(const struct session *s, const char *name)
{
	for (size_t i = 0; i < s->finding_count; i++)
		if (!strcmp(s->findings[i].name, name))
			return true;
	return false;
}

static void on_finding(struct session *s, const struct record *r)
{
	if (found(s, r->finding.name)) {
		session_fault(s, FAULT_DUPLICATE, "the finding %s", r->finding.name);
	} else if (s->finding_count == FINDING_COUNT_MAX) {
		session_fault(s, FAULT_MALFORMED, "more than %d findings", FINDING_COUNT_MAX);
	} else {
		s->findings = xreallocarray(s->findings, s->finding_count + 1, sizeof(*s->findings));
		s->findings[s->finding_count++] = r->finding;
	}
}

static void on_end(struct session *s, const struct record *r)
{
	if (r->lines != s->protocol_lines)
		session_fault(s, FAULT_COUNT, "%ju came and `end` says %ju", (uintmax_t)s->protocol_lines,
			      (uintmax_t)r->lines);
	s->drift = r->drift;
	s->seen_end = true;
}

/* A line that lost its checksum is damaged, and so is one of the old version that has got one. */
static bool check_seal(struct session *s, const struct record *r)
{
	bool sealed = r->type == RECORD_RUN ? r->run.protocol != PROTOCOL_UNSEALED : s->sealed;
	bool judged = r->type == RECORD_RUN ? protocol_version_known(r->run.protocol) : s->seen_run;

	if (judged && r->sealed != sealed)
		session_fault(s, FAULT_DAMAGED, "line %ju of the console: %s", (uintmax_t)s->console_lines,
			      sealed ? "its checksum is missing"
				     : "it has a checksum, which this version of the protocol does not know");
	return s->fault == FAULT_NONE;
}

/* A second `run` is no lost line: the machine was reset, unless it is the first one, doubled. */
static bool check_number(struct session *s, const struct record *r)
{
	bool reset = r->type == RECORD_RUN && s->protocol_lines > 1;

	if (r->sealed && r->line != s->protocol_lines && !reset)
		session_fault(s, FAULT_COUNT, "line %ju of the console: number %ju came, %ju was due",
			      (uintmax_t)s->console_lines, (uintmax_t)r->line, (uintmax_t)s->protocol_lines);
	return s->fault == FAULT_NONE;
}

static void on_record(struct session *s, struct record *r)
{
	if (!check_seal(s, r) || !check_number(s, r))
		return;
	if (r->type != RECORD_RUN && !s->seen_run)
		session_fault(s, FAULT_ORDER, "the first line is not `run`");
	else if (r->type == RECORD_RUN)
		on_run(s, r);
	else if (r->type == RECORD_CALIBRATION)
		on_calibration(s, r);
	else if (r->type == RECORD_FINDING)
		on_finding(s, r);
	else if (r->type == RECORD_END)
		on_end(s, r);
	else
		on_case(s, r);
	s->protocol_lines++;
}

static void refused_line(struct session *s, const char *line, size_t len, bool damaged, const char *why)
{
	enum fault fault = damaged ? FAULT_DAMAGED : FAULT_MALFORMED;
	char remark[256] = "";

	if (damaged)
		damaged_line(s, line, len, remark, sizeof(remark));
	if (!session_over(s))
		session_fault(s, fault, "line %ju of the console: %s%s%s", (uintmax_t)s->console_lines, why,
			      *remark ? "; in it: " : "", remark);
}

void session_line(struct session *s, const char *line, size_t len, bool cut)
{
	const char *start = memmem(line, len, PROTOCOL_PREFIX, strlen(PROTOCOL_PREFIX));
	size_t before = start ? (size_t)(start - line) : 0;
	struct record record;
	struct error error;

	s->console_lines++;
	if (!start) {
		if (!trace_line(s, line, len))
			plain_line(s, line, len);
		return;
	}
	if (before) /* somebody else's line, which has lost its end or has none yet */
		plain_line(s, line, before);
	if (!protocol_parse(start, len - before, &record, &error)) {
		refused_line(s, start, len - before, record.damaged, error.text);
		return;
	}
	if (cut)
		refused_line(s, start, len - before, true, "its end is missing");
	else if (!session_over(s))
		on_record(s, &record);
	record_free(&record);
}

void session_note_seals(const struct session *session)
{
	if (!session->sealed)
		complain("note: the lines carry no checksum: damage to them may go unnoticed");
}

bool session_over(const struct session *session)
{
	return session->fault != FAULT_NONE || session->seen_end;
}

/* What the console said that may explain why no more came. */
static const char *hint(const struct session *s)
{
	if (s->last_remark[0])
		return s->last_remark;
	return s->last_line[0] ? s->last_line : "the console stayed silent";
}

static void judge(struct session *s)
{
	if (s->fault != FAULT_NONE)
		return;
	if (s->failed_count)
		session_fault(s, FAULT_FAILED, "%zu failed, the first: %s: %s", s->failed_count, s->failed[0].name,
			      s->failed[0].why);
	else if (s->seen_end && !s->measured_count && !s->finding_count)
		session_fault(s, FAULT_NO_SAMPLE, "%zu cases were skipped", s->skipped_count);
	else if (!s->seen_end && s->seen_run)
		session_fault(s, FAULT_TRUNCATED, "%zu cases came; last words: %s", s->measured_count, hint(s));
	else if (!s->seen_end && s->boot_line[0])
		session_fault(s, FAULT_NO_RUN, "last words: %s", hint(s));
	else if (!s->seen_end)
		session_fault(s, FAULT_NO_BOOT, "no line beginning with `" BOOT_LINE "` came; last words: %s",
			      hint(s));
}

void session_finish(struct session *s)
{
	judge(s);
	finish_trace(s);
}

void session_time_over(struct session *s, unsigned seconds)
{
	if (session_over(s))
		return;
	if (s->seen_run)
		session_fault(s, FAULT_TIMEOUT, "no end within %u s, %zu cases came; last words: %s", seconds,
			      s->measured_count, hint(s));
	else if (s->boot_line[0])
		session_fault(s, FAULT_NO_RUN, "nothing within %u s; last words: %s", seconds, hint(s));
	else
		session_fault(s, FAULT_NO_BOOT, "no line beginning with `" BOOT_LINE "` within %u s; last words: %s",
			      seconds, hint(s));
}

void session_free(struct session *session)
{
	for (size_t i = 0; i < session->measured_count; i++)
		sample_free(&session->measured[i].sample);
	free(session->measured);
	hist_free(&session->calibration.hist);
	free(session->skipped);
	free(session->failed);
	free(session->findings);
	trace_lines_free(&session->trace_lines);
	if (session->trace)
		trace_free(session->trace);
	free(session->trace);
	*session = (struct session){0};
}
