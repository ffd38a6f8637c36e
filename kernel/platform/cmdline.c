/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "platform/cmdline.h"

#include "lib/bits.h"
#include "lib/string.h"
#include "platform/console.h"
#include "platform/ramlog.h"

struct word {
	const char *text;
	size_t length;
};

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Takes the next word at *text, and moves *text behind it. The word's length is 0 at the end. */
static struct word next_word(const char **text)
{
	while (is_space(**text))
		(*text)++;

	struct word w = {*text, 0};
	while (**text && !is_space(**text))
		(*text)++;
	w.length = (size_t)(*text - w.text);
	return w;
}

static bool is(struct word w, const char *text)
{
	return w.length == strlen(text) && !memcmp(w.text, text, w.length);
}

/* Whether w starts with `key`; *value is the rest. */
static bool has_key(struct word w, const char *key, struct word *value)
{
	size_t n = strlen(key);

	if (w.length < n || memcmp(w.text, key, n))
		return false;
	*value = (struct word){w.text + n, w.length - n};
	return true;
}

static bool parse_decimal(struct word *w, u64 *out)
{
	u64 n = 0;
	size_t i = 0;

	for (; i < w->length && w->text[i] >= '0' && w->text[i] <= '9'; i++)
		if (__builtin_mul_overflow(n, 10, &n) || __builtin_add_overflow(n, (u64)(w->text[i] - '0'), &n))
			return false;
	*w = (struct word){w->text + i, w->length - i};
	*out = n;
	return i;
}

/* A decimal number and at most one of the letters K, M, G in either case. */
static bool parse_size(struct word w, u64 *out)
{
	u64 n, unit = 1;

	if (!parse_decimal(&w, &n) || w.length > 1)
		return false;
	if (w.length) {
		char c = (char)(w.text[0] | 0x20);
		unit = c == 'k' ? KiB : c == 'm' ? MiB : c == 'g' ? GiB : 0;
	}
	if (!unit || __builtin_mul_overflow(n, unit, &n))
		return false;
	*out = n;
	return true;
}

static bool parse_level(struct word w, int *out)
{
	static const char *const name[] = {
		[LOG_ERROR] = "error",
		[LOG_WARN] = "warn",
		[LOG_INFO] = "info",
		[LOG_DEBUG] = "debug",
	};

	for (unsigned i = 0; i < array_size(name); i++) {
		if (is(w, name[i])) {
			*out = (int)i;
			return true;
		}
	}
	return false;
}

/* Hexadecimal with 0x, else decimal. */
static bool parse_address(struct word w, u64 *out)
{
	u64 n = 0;

	if (w.length < 3 || w.text[0] != '0' || w.text[1] != 'x')
		return parse_decimal(&w, out) && !w.length;
	for (size_t i = 2; i < w.length; i++) {
		char c = w.text[i], lower = (char)(c | 0x20);
		bool letter = lower >= 'a' && lower <= 'f';
		if (n >> 60 || !(letter || (c >= '0' && c <= '9')))
			return false;
		n = n << 4 | (u64)(letter ? lower - 'a' + 10 : c - '0');
	}
	*out = n;
	return true;
}

/* What follows log=ram: [:SIZE[@ADDRESS]]. The size is a power of two, because Linux rounds others down. */
static bool parse_ramlog(struct word w, struct cmdline *out)
{
	u64 size = RAMLOG_SIZE_USUAL, at = 0;
	size_t sign = 0;

	if (w.length && w.text[0] != ':')
		return false;
	while (sign < w.length && w.text[sign] != '@')
		sign++;
	if (w.length && !parse_size((struct word){w.text + 1, sign - 1}, &size))
		return false;
	if (sign < w.length && !parse_address((struct word){w.text + sign + 1, w.length - sign - 1}, &at))
		return false;
	if (size < RAMLOG_SIZE_MIN || size > RAMLOG_SIZE_MAX || size & (size - 1) || !is_aligned(at, PAGE_SIZE))
		return false;
	out->ramlog = size;
	out->ramlog_at = at;
	return true;
}

static void parse_serial(struct word w, struct serial_word *out)
{
	if (!serial_word_parse(w.text, w.length, out))
		log_warn("command line: 'serial=%.*s' is not understood, looking for a line",
			 (int)min_u64(w.length, 100), w.text);
}

static void parse_word(struct word w, struct cmdline *out)
{
	struct word value;
	bool valid = true;

	if (is(w, "serial"))
		out->serial = (struct serial_word){.place = SERIAL_AUTO};
	else if (has_key(w, "serial=", &value))
		parse_serial(value, &out->serial);
	else if (is(w, "novga"))
		out->vga = false;
	else if (is(w, "nopcid"))
		out->pcid = false;
	else if (is(w, "novpid"))
		out->vpid = false;
	else if (is(w, "nomwait"))
		out->mwait = false;
	else if (is(w, "l1flush"))
		out->l1_flush = true;
	else if (has_key(w, "heap=", &value))
		valid = parse_size(value, &out->heap);
	else if (has_key(w, "log=ram", &value))
		valid = parse_ramlog(value, out);
	else if (is(w, "panic=reboot"))
		out->panic_reboots = true;
	else if (has_key(w, "log=", &value))
		valid = parse_level(value, &out->log_level);
	if (!valid)
		log_warn("command line: '%.*s' is not understood and ignored", (int)min_u64(w.length, 100), w.text);
}

void cmdline_parse(const char *text, struct cmdline *out)
{
	struct word w;

	*out = (struct cmdline){.vga = true, .pcid = true, .vpid = true, .mwait = true, .log_level = LOG_INFO};
	while ((w = next_word(&text)).length)
		parse_word(w, out);
}
