/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/format.h"
#include "lib/string.h"

struct sink {
	char *out;
	size_t size, length; /* length counts what does not fit, too */
};

struct spec {
	bool left, zero, prefix; /* flags - 0 # */
	int width, precision;    /* precision -1: none given */
	u8 bytes;                /* of an integer argument */
	char conversion;
};

static void put(struct sink *s, char c)
{
	if (s->length + 1 < s->size)
		s->out[s->length] = c;
	s->length++;
}

static void put_text(struct sink *s, const char *text, size_t length)
{
	while (length--)
		put(s, *text++);
}

static void pad(struct sink *s, char c, s64 count)
{
	while (count-- > 0)
		put(s, c);
}

static void put_padded(struct sink *s, const struct spec *spec, const char *text, size_t length)
{
	s64 fill = (s64)spec->width - (s64)length;

	if (!spec->left)
		pad(s, ' ', fill);
	put_text(s, text, length);
	if (spec->left)
		pad(s, ' ', fill);
}

/* The digits of v, right-aligned in front of `end`; returns where they start. v == 0 has none. */
static char *digits(char *end, u64 v, unsigned base, bool upper)
{
	const char *alphabet = upper ? "0123456789ABCDEF" : "0123456789abcdef";

	for (; v; v /= base)
		*--end = alphabet[v % base];
	return end;
}

/* In this order: blanks, sign or 0x, zeros, digits, blanks. */
static void put_number(struct sink *s, const struct spec *spec, u64 v, const char *prefix)
{
	char buffer[20], *end = buffer + sizeof(buffer);
	bool hex = spec->conversion == 'x' || spec->conversion == 'X' || spec->conversion == 'p';
	char *start = digits(end, v, hex ? 16 : 10, spec->conversion == 'X');
	s64 count = end - start, front = (s64)strlen(prefix);
	s64 zeros = (spec->precision < 0 ? 1 : spec->precision) - count;

	if (spec->zero && !spec->left && spec->precision < 0 && spec->width - front - count > zeros)
		zeros = spec->width - front - count;
	if (zeros < 0)
		zeros = 0;

	s64 blanks = spec->width - front - zeros - count;
	if (!spec->left)
		pad(s, ' ', blanks);
	put_text(s, prefix, (size_t)front);
	pad(s, '0', zeros);
	put_text(s, start, (size_t)count);
	if (spec->left)
		pad(s, ' ', blanks);
}

/* A decimal number that does not grow beyond any sensible width. */
static int parse_number(const char **fmt)
{
	int n = 0;

	for (; **fmt >= '0' && **fmt <= '9'; (*fmt)++)
		if (n < 10000)
			n = n * 10 + (**fmt - '0');
	return n;
}

static void parse_flags(const char **fmt, struct spec *spec)
{
	for (;; (*fmt)++) {
		if (**fmt == '-')
			spec->left = true;
		else if (**fmt == '0')
			spec->zero = true;
		else if (**fmt == '#')
			spec->prefix = true;
		else
			return;
	}
}

static void parse_length(const char **fmt, struct spec *spec)
{
	spec->bytes = sizeof(int);
	for (;; (*fmt)++) {
		if (**fmt == 'h')
			spec->bytes /= 2;
		else if (**fmt == 'l' || **fmt == 'z')
			spec->bytes = sizeof(long);
		else
			return;
	}
}

static u64 unsigned_argument(const struct spec *spec, va_list *args)
{
	u64 v = spec->bytes == sizeof(long) ? va_arg(*args, u64) : va_arg(*args, u32);

	return spec->bytes >= sizeof(long) ? v : v & ((1ull << 8 * spec->bytes) - 1);
}

static s64 signed_argument(const struct spec *spec, va_list *args)
{
	if (spec->bytes == sizeof(long))
		return va_arg(*args, s64);

	s32 v = va_arg(*args, s32);
	return spec->bytes == 4 ? v : spec->bytes == 2 ? (int16_t)v : (int8_t)v;
}

static void convert_string(struct sink *s, const struct spec *spec, const char *text)
{
	if (!text)
		text = "(null)";
	put_padded(s, spec, text, strnlen(text, spec->precision < 0 ? SIZE_MAX : (size_t)spec->precision));
}

static void convert_signed(struct sink *s, const struct spec *spec, s64 v)
{
	put_number(s, spec, v < 0 ? -(u64)v : (u64)v, v < 0 ? "-" : "");
}

static void convert_hex(struct sink *s, const struct spec *spec, u64 v)
{
	put_number(s, spec, v, !spec->prefix || !v ? "" : spec->conversion == 'X' ? "0X" : "0x");
}

/* False: no such conversion; nothing was consumed or written. */
static bool convert(struct sink *s, const struct spec *spec, va_list *args)
{
	char c;

	switch (spec->conversion) {
	case '%':
		put(s, '%');
		return true;
	case 'c':
		c = (char)va_arg(*args, int);
		put_padded(s, spec, &c, 1);
		return true;
	case 's':
		convert_string(s, spec, va_arg(*args, const char *));
		return true;
	case 'd':
	case 'i':
		convert_signed(s, spec, signed_argument(spec, args));
		return true;
	case 'u':
		put_number(s, spec, unsigned_argument(spec, args), "");
		return true;
	case 'x':
	case 'X':
		convert_hex(s, spec, unsigned_argument(spec, args));
		return true;
	case 'p':
		put_number(s, spec, (u64)va_arg(*args, void *), "0x");
		return true;
	default:
		return false;
	}
}

/* *fmt is behind the %; afterwards behind the conversion's letter. */
static void parse_spec(const char **fmt, struct spec *spec, va_list *args)
{
	parse_flags(fmt, spec);
	if (**fmt == '*') {
		(*fmt)++;
		spec->width = va_arg(*args, int);
		if (spec->width < 0) {
			spec->left = true;
			spec->width = spec->width < -10000 ? 10000 : -spec->width;
		}
	} else {
		spec->width = parse_number(fmt);
	}

	spec->precision = -1;
	if (**fmt == '.') {
		if (*++*fmt == '*') {
			(*fmt)++;
			spec->precision = va_arg(*args, int);
		} else {
			spec->precision = parse_number(fmt);
		}
	}

	parse_length(fmt, spec);
	spec->conversion = **fmt;
	if (**fmt)
		(*fmt)++;
}

size_t format_args(char *out, size_t size, const char *fmt, va_list args)
{
	struct sink s = {.out = out, .size = size};
	va_list ap;

	va_copy(ap, args); /* a va_list parameter cannot be passed on by address */
	while (*fmt) {
		const char *start = fmt++;
		if (*start != '%') {
			put(&s, *start);
			continue;
		}
		struct spec spec = {0};
		parse_spec(&fmt, &spec, &ap);
		if (!convert(&s, &spec, &ap))
			put_text(&s, start, (size_t)(fmt - start));
	}
	va_end(ap);

	if (size)
		out[s.length < size ? s.length : size - 1] = '\0';
	return s.length;
}

size_t format_text(char *out, size_t size, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	size_t length = format_args(out, size, fmt, args);
	va_end(args);
	return length;
}
