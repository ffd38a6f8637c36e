/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rt/fmt.h"

#include "rt/size.h"
#include "rt/string.h"

#include <stdbool.h>
#include <stdint.h>

struct out {
	char *buf;
	size_t size, len; /* len counts what did not fit, too */
};

struct spec {
	bool left, zero, alternate;
	size_t width, precision; /* SIZE_MAX: none */
	unsigned longs;
};

static void put(struct out *o, char c)
{
	if (o->len + 1 < o->size)
		o->buf[o->len] = c;
	o->len++;
}

static void pad(struct out *o, size_t n, char c)
{
	while (n--)
		put(o, c);
}

static void put_field(struct out *o, const struct spec *s, const char *text, size_t len)
{
	size_t fill = s->width > len ? s->width - len : 0;

	if (!s->left)
		pad(o, fill, ' ');
	while (len--)
		put(o, *text++);
	if (s->left)
		pad(o, fill, ' ');
}

static void put_number(struct out *o, const struct spec *s, unsigned long v, unsigned base, const char *sign)
{
	char text[72];
	size_t n = sizeof(text), signs = strlen(sign);
	size_t zeros = s->zero && !s->left && s->width > signs ? s->width - signs : 1;

	do {
		text[--n] = "0123456789abcdef"[v % base];
		v /= base;
	} while (v || (sizeof(text) - n < zeros && n > signs));
	n -= signs;
	memcpy(text + n, sign, signs);
	put_field(o, s, text + n, sizeof(text) - n);
}

static void put_signed(struct out *o, const struct spec *s, long v)
{
	put_number(o, s, v < 0 ? -(unsigned long)v : (unsigned long)v, 10, v < 0 ? "-" : "");
}

static void put_string(struct out *o, const struct spec *s, const char *text)
{
	size_t n = 0;

	if (!text)
		text = "(null)";
	while (n < s->precision && text[n])
		n++;
	put_field(o, s, text, n);
}

static const char *parse(struct spec *s, const char *f, va_list ap)
{
	*s = (struct spec){.precision = SIZE_MAX};
	for (;; f++) {
		if (*f == '-')
			s->left = true;
		else if (*f == '0')
			s->zero = true;
		else if (*f == '#')
			s->alternate = true;
		else
			break;
	}
	if (*f == '*') {
		s->width = va_arg(ap, unsigned);
		f++;
	}
	for (; *f >= '0' && *f <= '9'; f++)
		s->width = s->width * 10 + (*f - '0');
	if (*f == '.') {
		f++;
		s->precision = 0;
		if (*f == '*') {
			s->precision = va_arg(ap, unsigned);
			f++;
		}
		for (; *f >= '0' && *f <= '9'; f++)
			s->precision = s->precision * 10 + (*f - '0');
	}
	for (; *f == 'l' || *f == 'z'; f++)
		s->longs++;
	return f;
}

int rt_vsnprintf(char *buf, size_t size, const char *f, va_list ap)
{
	struct out o = {buf, size, 0};
	struct spec s;

	for (; *f; f++) {
		if (*f != '%') {
			put(&o, *f);
			continue;
		}
		f = parse(&s, f + 1, ap);
		switch (*f) {
		case 'd':
		case 'i':
			put_signed(&o, &s, s.longs ? va_arg(ap, long) : va_arg(ap, int));
			break;
		case 'u':
			put_number(&o, &s, s.longs ? va_arg(ap, unsigned long) : va_arg(ap, unsigned), 10, "");
			break;
		case 'x':
			put_number(&o, &s, s.longs ? va_arg(ap, unsigned long) : va_arg(ap, unsigned), 16,
				   s.alternate ? "0x" : "");
			break;
		case 'p':
			put_number(&o, &s, (unsigned long)va_arg(ap, void *), 16, "0x");
			break;
		case 'c':
			put_field(&o, &s, (char[]){(char)va_arg(ap, int)}, 1);
			break;
		case 's':
			put_string(&o, &s, va_arg(ap, const char *));
			break;
		case '\0':
			f--;
			break;
		default:
			put(&o, *f);
		}
	}
	if (size)
		buf[rt_min(o.len, size - 1)] = 0;
	return (int)o.len;
}

int rt_snprintf(char *buf, size_t size, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = rt_vsnprintf(buf, size, fmt, ap);
	va_end(ap);
	return n;
}
