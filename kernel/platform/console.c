/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "platform/console.h"

#include "arch/cpu.h"
#include "lib/bits.h"
#include "lib/format.h"
#include "lib/spinlock.h"
#include "lib/string.h"
#include "platform/ratelimit.h"

#define RING_SIZE (8 * KiB)

/* Bytes that a console gets in one step: more than a usual line. */
#define STEP_SIZE 256

/* Steps in a row in which a device had no room, after which idle CPUs wait for the next message: flow control, and
 * nobody reads. A full FIFO takes 1.4 ms to drain and a look at it about 1 us. */
#define STALLS_MAX 65536

/* Guarded by the lock, but for the fields that say otherwise. */
static struct {
	struct spinlock lock;
	bool seized;          /* the lock is ignored from now on; set once, by panic(), and read without the lock */
	enum log_level level; /* read and written without the lock */
	void (*wake)(void);   /* NULL: messages are written at once. Set once, and read without the lock */
	struct console *first;
	struct ratelimit user;
	bool claimed;      /* a line of user land is under way */
	u64 claimed_since; /* TSC */
	u64 written;       /* bytes ever put into the ring; the newest is at (written - 1) % RING_SIZE */
	char ring[RING_SIZE];
} state = {.level = LOG_INFO, .user = RATELIMIT_INIT(LOG_USER_BURST, LOG_USER_TICKS)};

bool console_pending; /* written under the lock */

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

/* ---- The ring, and what each console has got of it ---- */

static bool has_more(const struct console *c)
{
	return c->shown != state.written || c->note_length || c->lost;
}

/* The console loses a line, or the rest of one, because its place is needed. */
static void lose_line_locked(struct console *c)
{
	c->cut |= c->mid;
	c->mid = false;
	c->lost++;
	while (c->shown < state.written && state.ring[c->shown++ % RING_SIZE] != '\n')
		;
}

static void ring_put_locked(const char *text, size_t length)
{
	for (struct console *c = state.first; c; c = c->next)
		while (state.written + length - c->shown > RING_SIZE)
			lose_line_locked(c);
	for (size_t i = 0; i < length; i++)
		state.ring[state.written++ % RING_SIZE] = text[i];
}

/* The first line in the ring that is certainly whole: older bytes may have been overwritten. */
static u64 oldest_line_locked(void)
{
	u64 from = 0;

	if (state.written > RING_SIZE) {
		from = state.written - RING_SIZE + 1; /* looks at the byte before: the oldest there is */
		while (from < state.written && state.ring[(from - 1) % RING_SIZE] != '\n')
			from++;
	}
	return from;
}

/* What has to be said before the ring goes on: a line of somebody else's ends here; some are missing. */
static void make_note_locked(struct console *c)
{
	if (c->note_length || !(c->user_mid || c->lost))
		return;
	const char *end = c->user_mid || c->cut ? "\n" : "";
	if (c->lost)
		c->note_length = (u8)format_text(c->note, sizeof(c->note), "%s%u lines lost\n", end, c->lost);
	else
		c->note_length = (u8)format_text(c->note, sizeof(c->note), "%s", end);
	c->note_at = 0;
	c->user_mid = c->cut = false;
	c->lost = 0;
}

/* The next bytes for the console: at most max, and not beyond the end of a line. */
static size_t next_piece_locked(struct console *c, const char **text, size_t max)
{
	make_note_locked(c);
	u64 at = c->shown % RING_SIZE, length = min_u64(state.written - c->shown, RING_SIZE - at);
	*text = state.ring + at;
	if (c->note_length) {
		*text = c->note + c->note_at;
		length = c->note_length - c->note_at;
	}
	length = min_u64(length, max);
	for (size_t i = 0; i < length; i++)
		if ((*text)[i] == '\n')
			return i + 1;
	return length;
}

static void advance_locked(struct console *c, const char *text, size_t length)
{
	c->mid = text[length - 1] != '\n';
	if (!c->note_length) {
		c->shown += length;
	} else {
		c->note_at = (u8)(c->note_at + length);
		if (c->note_at == c->note_length)
			c->note_length = 0;
	}
}

static size_t write_piece_locked(struct console *c, size_t max)
{
	const char *text;
	size_t length = next_piece_locked(c, &text, max);

	advance_locked(c, text, length); /* first: a panic in the middle goes on behind it */
	c->write(text, length);
	return length;
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

/* ---- Writing: all of it, waiting for the device, or a step ---- */

static void write_all_locked(void)
{
	for (struct console *c = state.first; c; c = c->next)
		while (has_more(c))
			write_piece_locked(c, RING_SIZE);
	WRITE_ONCE(console_pending, false);
}

/* A claim that was forgotten does not count: whoever made it may be dead. */
static bool is_claimed_locked(void)
{
	if (state.claimed && arch_tsc() - state.claimed_since >= CONSOLE_CLAIM_TICKS) {
		state.claimed = false;
		for (struct console *c = state.first; c; c = c->next)
			c->user_mid |= c->sharing == CONSOLE_SHARED;
	}
	return state.claimed;
}

/* Bytes that the console can be given now. One that takes any gets whole lines. */
static size_t room_locked(struct console *c)
{
	if (!c->room)
		return CONSOLE_LINE_MAX;
	size_t room = c->room();
	c->stalls = room ? 0 : c->stalls + 1;
	return room > 1 ? room - 1 : room; /* a piece has one newline at most, which may count twice */
}

/* False: the console is not to be written to now. */
static bool is_open_locked(const struct console *c, bool idle)
{
	return (idle || !c->costly) && (c->sharing == CONSOLE_KERNELS || !is_claimed_locked());
}

static void step_console_locked(struct console *c, bool idle)
{
	size_t room, done = 0, enough = c->costly ? 1 : STEP_SIZE;

	while (has_more(c) && (done < enough || (c->mid && !c->room)) && is_open_locked(c, idle)) {
		room = room_locked(c);
		if (!room)
			return;
		done += write_piece_locked(c, room);
	}
}

/* True: something is left that an idle CPU can write. */
static bool step_locked(bool idle)
{
	bool left = false;

	for (struct console *c = state.first; c; c = c->next) {
		if (!idle)
			c->stalls = 0;
		step_console_locked(c, idle);
		left |= has_more(c) && c->stalls < STALLS_MAX;
	}
	WRITE_ONCE(console_pending, left);
	return left;
}

/* Writes what can be written now: everything while the machine comes up or has ended, else what is taken at once. */
static bool write_now_locked(void)
{
	if (state.wake && !READ_ONCE(state.seized))
		return step_locked(false);
	write_all_locked();
	return false;
}

static void unlock_and_wake(bool taken, bool left)
{
	unlock(taken);
	if (left)
		state.wake();
}

void console_add(struct console *c)
{
	bool taken = lock(), left = false;
	struct console **end = &state.first;

	while (*end && *end != c)
		end = &(*end)->next;
	if (!*end) {
		c->next = NULL;
		c->shown = oldest_line_locked();
		*end = c;
		left = write_now_locked();
	}
	unlock_and_wake(taken, left);
}

void console_run(void (*wake)(void))
{
	WRITE_ONCE(state.wake, wake);
}

void console_drain(void)
{
	if (!spin_trylock(&state.lock))
		return;
	step_locked(true);
	spin_unlock(&state.lock);
}

void console_set_level(enum log_level level)
{
	WRITE_ONCE(state.level, level);
}

void console_seize(void)
{
	WRITE_ONCE(state.seized, true);
	for (struct console *c = state.first; c; c = c->next) {
		c->user_mid |= c->sharing == CONSOLE_SHARED && state.claimed;
		if (c->seize)
			c->seize();
	}
	state.claimed = false;
	write_all_locked();
}

/* ---- User land ---- */

static struct console *find_shared_locked(void)
{
	struct console *c = state.first;

	while (c && c->sharing != CONSOLE_SHARED)
		c = c->next;
	return c;
}

/* The claim is made before the text is handed over: until user land has written that, nothing else may come. */
size_t console_claim(char *text, size_t size)
{
	bool taken = lock();
	struct console *c;
	size_t length = 0;

	step_locked(false);
	state.claimed = true;
	state.claimed_since = arch_tsc();
	c = find_shared_locked();
	if (size && c && has_more(c)) {
		const char *from;
		length = next_piece_locked(c, &from, size);
		memcpy(text, from, length);
		advance_locked(c, from, length);
	}
	unlock(taken);
	return length;
}

void console_release(void)
{
	bool taken = lock();

	state.claimed = false;
	unlock_and_wake(taken, write_now_locked());
}

void console_write_user(char *text, size_t length)
{
	bool taken = lock();

	sanitise(text, length);
	for (struct console *c = state.first; c && length; c = c->next) {
		if (c->sharing != CONSOLE_KEEPER)
			continue;
		c->write(text, length);
		c->user_mid = text[length - 1] != '\n';
	}
	unlock(taken);
}

/* ---- Messages ---- */

static bool is_shown(enum log_level level)
{
	return level <= READ_ONCE(state.level);
}

static const char *prefix(enum log_level level)
{
	return level == LOG_ERROR ? "error: " : level == LOG_WARN ? "warning: " : "";
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
	unlock_and_wake(taken, write_now_locked());
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
