/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "platform/serial_word.h"

#include "lib/bits.h"
#include "lib/string.h"

/* What is left to read. */
struct text {
	const char *at, *end;
};

/* Takes these characters, if they are next. */
static bool take(struct text *t, const char *wanted)
{
	size_t n = strlen(wanted);

	if ((size_t)(t->end - t->at) < n || memcmp(t->at, wanted, n))
		return false;
	t->at += n;
	return true;
}

/* The value of the next character as a digit; `base` if it is none. */
static unsigned digit(const struct text *t, unsigned base)
{
	static const char low[] = "0123456789abcdef", high[] = "0123456789ABCDEF";
	unsigned v = 0;

	while (v < base && t->at < t->end && *t->at != low[v] && *t->at != high[v])
		v++;
	return t->at < t->end ? v : base;
}

/* At least one digit, and no more than `max`. */
static bool take_number(struct text *t, unsigned base, u64 max, u64 *out)
{
	const char *start = t->at;
	u64 n = 0;

	for (unsigned d; (d = digit(t, base)) < base; t->at++)
		if (__builtin_mul_overflow(n, base, &n) || __builtin_add_overflow(n, d, &n) || n > max)
			return false;
	*out = n;
	return t->at > start;
}

static bool take_com(struct text *t, struct serial_word *out)
{
	static const u16 ports[] = {0x3f8, 0x2f8, 0x3e8, 0x2e8};
	u64 n;

	if (!take_number(t, 10, array_size(ports), &n) || !n)
		return false;
	out->place = SERIAL_PORT;
	out->at = ports[n - 1];
	return true;
}

static bool take_mmio(struct text *t, struct serial_word *out)
{
	out->place = SERIAL_MMIO;
	return take(t, "0x") && take_number(t, 16, ~0ull, &out->at);
}

static bool take_pci(struct text *t, struct serial_word *out)
{
	u64 bus, device, function;

	if (!take_number(t, 16, 0xff, &bus) || !take(t, ":") || !take_number(t, 16, 0x1f, &device) || !take(t, ".") ||
	    !take_number(t, 8, 7, &function))
		return false;
	out->place = SERIAL_PCI;
	out->at = bus << 8 | device << 3 | function;
	return true;
}

static bool take_place(struct text *t, struct serial_word *out)
{
	if (take(t, "auto"))
		return true;
	if (take(t, "com"))
		return take_com(t, out);
	if (take(t, "mmio:"))
		return take_mmio(t, out);
	if (take(t, "pci:"))
		return take_pci(t, out);
	out->place = SERIAL_PORT;
	return take(t, "0x") && take_number(t, 16, 0xffff, &out->at);
}

/* Digits; behind them there may be a letter for the parity, and behind that the number of bits. */
static bool take_speed(struct text *t, struct serial_word *out)
{
	u64 baud, bits = 8;
	u8 parity = UART_PARITY_NONE;
	bool letter = true;

	if (!take_number(t, 10, ~0u, &baud) || !baud)
		return false;
	if (take(t, "e"))
		parity = UART_PARITY_EVEN;
	else if (take(t, "o"))
		parity = UART_PARITY_ODD;
	else
		letter = take(t, "n");
	if (letter && digit(t, 10) < 10 && (!take_number(t, 10, 8, &bits) || bits < 5))
		return false;
	out->baud = (u32)baud;
	out->lcr = (u8)(parity | (bits - 5));
	return true;
}

static bool take_setting(struct text *t, struct serial_word *out)
{
	u64 n;

	if (take(t, "stride=")) {
		bool valid = take_number(t, 10, 4, &n) && (n == 1 || n == 2 || n == 4);
		out->stride = valid ? (u8)n : 0;
		return valid;
	}
	if (take(t, "clock=")) {
		bool valid = take_number(t, 10, ~0u, &n) && n;
		out->clock = valid ? (u32)n : 0;
		return valid;
	}
	return take_speed(t, out);
}

/* Whether a UART can be at this place, and do this speed. */
static bool is_possible(const struct serial_word *w)
{
	struct uart_line line = {
		.base = w->at, .memory = w->place == SERIAL_MMIO, .stride = w->stride ? w->stride : 1};

	if (w->place == SERIAL_PORT && line.stride != 1)
		return false;
	if ((w->place == SERIAL_PORT || w->place == SERIAL_MMIO) && !uart_can_be_at(&line))
		return false;
	return !w->baud || (!w->clock && w->place == SERIAL_AUTO) ||
	       uart_divisor(w->clock ? w->clock : UART_CLOCK, w->baud);
}

bool serial_word_parse(const char *text, size_t length, struct serial_word *out)
{
	struct text t = {text, text + length};
	struct serial_word w = {.place = SERIAL_AUTO};
	bool valid = take_place(&t, &w);

	while (valid && take(&t, ","))
		valid = take_setting(&t, &w);
	valid = valid && t.at == t.end && is_possible(&w);
	*out = valid ? w : (struct serial_word){.place = SERIAL_AUTO};
	return valid;
}
