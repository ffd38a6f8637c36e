/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fleet/watch.h"

#include <ctype.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

enum { KERNELS_MAX = 3, LOADERS_MAX = 5, GIVE_UPS_MAX = 3, BUILD_SHOWN = 16 };

#define BOOT_LINE "Hedron Hypervisor "
#define LOADER_LINE "Open Source Network Boot Firmware" /* iPXE */
#define GIVE_UP_LINE "FLEET-BOOT-FAIL"                  /* our scripts, docs/fleet.md */

void watch_init(struct watch *w, const char *suite, const char *build_id, bool measures_time)
{
	*w = (struct watch){.suite = suite, .build_id = build_id, .measures_time = measures_time};
	session_init(&w->session, suite, measures_time);
}

static void decide(struct watch *w, enum outcome_verdict verdict, const char *fmt, ...) printf_like(3, 4);

static void decide(struct watch *w, enum outcome_verdict verdict, const char *fmt, ...)
{
	va_list args;

	if (w->verdict != OUTCOME_OPEN)
		return;
	w->verdict = verdict;
	va_start(args, fmt);
	vsnprintf(w->why, sizeof(w->why), fmt, args);
	va_end(args);
}

static const char *find(const char *line, size_t len, const char *word)
{
	return memmem(line, len, word, strlen(word));
}

/* "..., build c4fa7485203be4c4)": as many digits as the kernel prints. */
static void check_build(struct watch *w, const char *line, size_t len)
{
	const char *build = find(line, len, "build ");
	size_t left = build ? len - (size_t)(build + 6 - line) : 0, digits = 0;

	while (digits < left && isxdigit((unsigned char)build[6 + digits]))
		digits++;
	if (!*w->build_id)
		return;
	if (!digits)
		decide(w, OUTCOME_WRONG_IMAGE, "the kernel does not tell its build, and %.*s was sent", BUILD_SHOWN,
		       w->build_id);
	else if (digits > strlen(w->build_id) || strncmp(build + 6, w->build_id, digits))
		decide(w, OUTCOME_WRONG_IMAGE, "build %.*s came up instead of %.*s", (int)(digits < 64 ? digits : 64),
		       build + 6, BUILD_SHOWN, w->build_id);
}

static void kernel_line(struct watch *w, const char *line, size_t len)
{
	w->kernels++;
	if (w->kernels == 1)
		check_build(w, line, len);
	if (w->kernels == KERNELS_MAX)
		decide(w, OUTCOME_REBOOT_LOOP, "the kernel started %u times", w->kernels);
}

static void loader_line(struct watch *w)
{
	w->loaders++;
	if (w->loaders == LOADERS_MAX && !w->kernels)
		decide(w, OUTCOME_REBOOT_LOOP, "the boot loader started %u times, and never a kernel", w->loaders);
}

static void give_up_line(struct watch *w, const char *line, size_t len)
{
	size_t used = 0;

	for (; used < len && used + 1 < sizeof(w->last_give_up); used++)
		w->last_give_up[used] = (char)(line[used] >= ' ' && line[used] <= '~' ? line[used] : '.');
	w->last_give_up[used] = '\0';
	w->give_ups++;
	if (w->give_ups == GIVE_UPS_MAX && !w->kernels)
		decide(w, OUTCOME_NO_BOOT, "the boot loader gave up %u times: %s", w->give_ups, w->last_give_up);
}

/* Words of loaders and kernels, in a line or in a part of one. */
static void loose_text(struct watch *w, const char *text, size_t len)
{
	const char *boot = find(text, len, BOOT_LINE), *give_up = find(text, len, GIVE_UP_LINE), *end = text + len;
	size_t left = boot ? (size_t)(end - boot) - strlen(BOOT_LINE) : 0;

	if (find(text, len, LOADER_LINE))
		loader_line(w);
	if (left && isdigit((unsigned char)boot[strlen(BOOT_LINE)]))
		kernel_line(w, boot, (size_t)(end - boot));
	if (give_up)
		give_up_line(w, give_up, (size_t)(end - give_up));
}

/* What belongs to the run stays in the session; what comes around it is for us. */
void watch_line(struct watch *w, const char *line, size_t len, bool cut)
{
	size_t loose_len = len;
	const char *loose;

	/* Machines reset when they are done; a panic still explains what went wrong before. */
	if (watch_over(w)) {
		if (w->verdict == OUTCOME_OPEN)
			session_line(&w->session, line, len, cut);
		return;
	}
	w->any_byte = w->any_byte || len;
	loose = session_loose_text(line, &loose_len);
	if (loose != line)
		loose_text(w, line, (size_t)(find(line, len, PROTOCOL_PREFIX) - line));
	loose_text(w, loose, loose_len);
	/* After the first reset, what comes is another run's. */
	if (w->kernels <= 1)
		session_line(&w->session, line, len, cut);
}

bool watch_over(const struct watch *w)
{
	return w->verdict != OUTCOME_OPEN || (session_over(&w->session) && w->kernels <= 1);
}

/* The session knows best what happened within a run. */
static enum outcome_verdict verdict_of(const struct watch *w)
{
	switch (w->session.fault) {
	case FAULT_NONE:
		return OUTCOME_OK;
	case FAULT_PANIC:
		return OUTCOME_PANIC;
	case FAULT_SUITE:
		return OUTCOME_WRONG_IMAGE;
	case FAULT_FOREIGN:
		return OUTCOME_FOREIGN;
	case FAULT_DAMAGED:
		return OUTCOME_DAMAGED;
	case FAULT_TRUNCATED:
	case FAULT_COUNT:
	case FAULT_MALFORMED: /* lines that were mixed up or lost on the way */
	case FAULT_ORDER:
		return OUTCOME_TRUNCATED;
	case FAULT_NO_BOOT:
		return w->any_byte ? OUTCOME_NO_BOOT : OUTCOME_SILENT;
	case FAULT_TIMEOUT:
	case FAULT_NO_RUN:
		return OUTCOME_TIMEOUT;
	default:
		return OUTCOME_INVALID;
	}
}

static void judge_absence(struct watch *w, enum watch_end end, unsigned seconds)
{
	if (!w->any_byte && end == WATCH_CLOSED)
		decide(w, OUTCOME_SILENT, "the console was closed before it said anything");
	else if (end == WATCH_NO_FETCH)
		decide(w, OUTCOME_SILENT, "it fetched nothing to boot within %u s", seconds);
	else if (end == WATCH_NO_LOG)
		decide(w, OUTCOME_SILENT, "it fetched its kernel, and no log came within %u s", seconds);
	else if (!w->any_byte)
		decide(w, OUTCOME_SILENT, "nothing came from the console within %u s", seconds);
	else if (w->give_ups)
		decide(w, OUTCOME_NO_BOOT, "no kernel came; the boot loader: %s", w->last_give_up);
	else
		decide(w, OUTCOME_NO_BOOT, "no kernel came%s; last words: %.300s",
		       end == WATCH_CLOSED ? " before the console was closed" : " in time", w->session.last_line);
}

static void judge_session(struct watch *w, enum watch_end end, unsigned seconds)
{
	struct session *s = &w->session;

	if (end == WATCH_RUN_TIME)
		session_time_over(s, seconds);
	else if (end == WATCH_SILENCE && !session_over(s))
		session_fault(s, FAULT_TRUNCATED, "nothing came for %u s; last words: %.300s", seconds, s->last_line);
	session_finish(s);
	decide(w, verdict_of(w), "%s%s%.400s", s->fault == FAULT_NONE ? "" : fault_text(s->fault),
	       s->fault == FAULT_NONE ? "" : ": ", s->detail.text);
}

enum outcome_verdict watch_judge(struct watch *w, enum watch_end end, unsigned seconds)
{
	bool panicked = w->session.fault == FAULT_PANIC || w->session.fault == FAULT_FOREIGN;

	if (!w->kernels && !w->session.seen_run && !panicked)
		judge_absence(w, end, seconds);
	else if (w->kernels > 1 && !panicked)
		decide(w, OUTCOME_REBOOT_LOOP, "the machine started again under the kernel, %u times in all",
		       w->kernels);
	else
		judge_session(w, end, seconds);
	return w->verdict;
}

void watch_free(struct watch *w)
{
	session_free(&w->session);
}
