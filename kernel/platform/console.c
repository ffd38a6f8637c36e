/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "platform/console.h"

#include "arch/cpu.h"
#include "lib/bits.h"
#include "lib/format.h"
#include "lib/spinlock.h"
#include "platform/ratelimit.h"

#define RING_SIZE (8 * KiB)

/* Guarded by the lock, but for the fields that say otherwise. */
static struct {
	struct spinlock lock;
	bool seized;          /* the lock is ignored from now on; set once, by panic(), and read without the lock */
	enum log_level level; /* read and written without the lock */
	struct console *first;
	struct ratelimit user;
	u64 written; /* bytes ever put into the ring; the newest is at (written - 1) % RING_SIZE */
	char ring[RING_SIZE];
} state = {.level = LOG_INFO, .user = RATELIMIT_INIT(LOG_USER_BURST, LOG_USER_TICKS)};

/* Waits for the lock, unless it is ignored. True: it was taken, and has to be given back. */
static bool lock(void)
{
	while (!READ_ONCE(state.seized)) {
		if (spin_trylock(&state.lock))
			return true;
		arch_relax();
	}
	return false;
}

static void unlock(bool taken)
{
	if (taken)
		spin_unlock(&state.lock);
}

static void ring_put_locked(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
		state.ring[state.written++ % RING_SIZE] = text[i];
}

/* Shows what is in the ring, in at most two pieces. It starts with the first line that is certainly whole: older
 * bytes may have been overwritten. */
static void ring_show_locked(struct console *c)
{
	u64 from = 0;

	if (state.written > RING_SIZE) {
		from = state.written - RING_SIZE + 1; /* looks at the byte before: the oldest there is */
		while (from < state.written && state.ring[(from - 1) % RING_SIZE] != '\n')
			from++;
	}
	while (from < state.written) {
		u64 at = from % RING_SIZE, length = min_u64(state.written - from, RING_SIZE - at);
		c->write(state.ring + at, length);
		from += length;
	}
}

void console_add(struct console *c)
{
	bool taken = lock();
	struct console **end = &state.first;

	while (*end && *end != c)
		end = &(*end)->next;
	if (!*end) {
		c->next = NULL;
		*end = c;
		ring_show_locked(c);
	}
	unlock(taken);
}

void console_set_level(enum log_level level)
{
	WRITE_ONCE(state.level, level);
}

void console_seize(void)
{
	WRITE_ONCE(state.seized, true);
}

static bool is_shown(enum log_level level)
{
	return level <= READ_ONCE(state.level);
}

static const char *prefix(enum log_level level)
{
	return level == LOG_ERROR ? "error: " : level == LOG_WARN ? "warning: " : "";
}

/* Only printable characters and newlines reach a console: the text may come from outside. */
static void sanitise(char *text, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (text[i] == '\t')
			text[i] = ' ';
		else if (text[i] != '\n' && (text[i] < 0x20 || text[i] > 0x7e))
			text[i] = '?';
	}
}

/* Makes the finished message in line[CONSOLE_LINE_MAX], ending with a newline instead of a NUL; returns its length.
 */
static size_t compose(char *line, enum log_level level, const char *fmt, va_list args)
{
	size_t n = format_text(line, CONSOLE_LINE_MAX, "%s", prefix(level));

	n += format_args(line + n, CONSOLE_LINE_MAX - n, fmt, args);
	n = min_u64(n, CONSOLE_LINE_MAX - 1);
	sanitise(line, n);
	if (!n || line[n - 1] != '\n')
		line[n++] = '\n';
	return n;
}

static void log_args(enum log_level level, const char *fmt, va_list args)
{
	char line[CONSOLE_LINE_MAX];
	size_t length = compose(line, level, fmt, args);
	bool taken = lock();

	ring_put_locked(line, length);
	for (struct console *c = state.first; c; c = c->next)
		c->write(line, length);
	unlock(taken);
}

void klog(enum log_level level, const char *fmt, ...)
{
	va_list args;

	if (!is_shown(level))
		return;
	va_start(args, fmt);
	log_args(level, fmt, args);
	va_end(args);
}

void log_user(const char *fmt, ...)
{
	va_list args;
	u32 missed;

	if (!is_shown(LOG_WARN))
		return;
	bool taken = lock(), pass = ratelimit_take(&state.user, arch_tsc(), &missed);
	unlock(taken);
	if (!pass)
		return;
	if (missed)
		log_warn("%u messages about user code suppressed", missed);
	va_start(args, fmt);
	log_args(LOG_WARN, fmt, args);
	va_end(args);
}
