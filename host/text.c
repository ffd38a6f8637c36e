/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "host/text.h"

void text_print_escaped(FILE *out, const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)s[i];

		if (c == '\n' || c == '\t' || (c >= 0x20 && c < 0x7f))
			fputc(c, out);
		else if (c != '\r' || (i + 1 < len && s[i + 1] != '\n'))
			fprintf(out, "\\x%02x", c);
	}
}

void text_mask(char *text)
{
	for (; *text; text++)
		if (*text < ' ' || *text > '~')
			*text = '?';
}
