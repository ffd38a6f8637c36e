/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "measure/serial_word.h"

#include "host/mem.h"

#include <errno.h>
#include <regex.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define KEY "serial="
#define HEX "[0-9a-fA-F]+"
#define PLACE "auto|com0*[1-4]|0x" HEX "|mmio:0x" HEX "|pci:" HEX ":" HEX "\\.0*[0-7]"
#define SPEED "[0-9]+([neo](0*[5-8])?)?"

/* Place, stride, clock and rate are in it by number; the last setting of a kind counts. */
static const char form[] = "^(" PLACE ")(,(" SPEED "|stride=0*[124]|clock=[0-9]+))*$";

enum { REGISTERS = 8, PORT_MAX = 0xffff, BUS_MAX = 0xff, DEVICE_MAX = 0x1f, DIVISOR_MAX = 0xffff };

struct line {
	uint64_t stride, clock, baud; /* 0: not said */
};

/* A number that fits 64 bits. */
static bool number(const char *text, int base, uint64_t *out)
{
	errno = 0;
	*out = strtoull(text, NULL, base);
	return !errno;
}

static bool is_form(const char *text)
{
	regex_t regex;
	bool match;

	if (regcomp(&regex, form, REG_EXTENDED | REG_NOSUB))
		return false;
	match = !regexec(&regex, text, 0, NULL, 0);
	regfree(&regex);
	return match;
}

/* The settings behind the place, whose form is right. */
static bool read_settings(const char *text, struct line *line)
{
	for (const char *at = strchr(text, ','); at; at = strchr(at + 1, ',')) {
		const char *value =
			strncmp(at, ",stride=", 8) && strncmp(at, ",clock=", 7) ? at + 1 : strchr(at, '=') + 1;
		uint64_t n;

		if (!number(value, 10, &n) || !n || n > UINT32_MAX)
			return false;
		*(at[1] == 's' ? &line->stride : at[1] == 'c' ? &line->clock : &line->baud) = n;
	}
	return true;
}

static bool place_possible(const char *text, uint64_t stride)
{
	uint64_t at, device;

	if (!strncmp(text, "mmio:", 5))
		return number(text + 5, 16, &at) && at && at % (REGISTERS * (stride ? stride : 1)) == 0;
	if (!strncmp(text, "pci:", 4))
		return number(text + 4, 16, &at) && at <= BUS_MAX && number(strchr(text + 4, ':') + 1, 16, &device) &&
		       device <= DEVICE_MAX;
	if (*text == 'a')
		return true;
	if (*text == 'c')
		return stride <= 1;
	return number(text, 16, &at) && at && at <= PORT_MAX && at % REGISTERS == 0 && stride <= 1;
}

/* Within 1/32, as the other side can follow. */
static bool rate_possible(uint64_t clock, uint64_t baud)
{
	uint64_t divisor = (clock + 8 * baud) / (16 * baud), made = divisor * 16 * baud;

	return divisor && divisor <= DIVISOR_MAX && (clock > made ? clock - made : made - clock) * 32 <= made;
}

static bool is_possible(const char *text, struct line *line)
{
	if (!is_form(text) || !read_settings(text, line) || !place_possible(text, line->stride))
		return false;
	if (!line->baud || (*text == 'a' && !line->clock)) /* the clock is the kernel's to find out */
		return true;
	return rate_possible(line->clock ? line->clock : 1843200, line->baud);
}

bool serial_word_check(const char *words, unsigned long *baud, struct error *error)
{
	char *copy = xstrdup(words), *state;
	bool valid = true;

	*baud = 0;
	for (char *word = strtok_r(copy, " ", &state); word && valid; word = strtok_r(NULL, " ", &state)) {
		struct line line = {0};

		if (strncmp(word, KEY, strlen(KEY)))
			continue;
		valid = is_possible(word + strlen(KEY), &line) ||
			error_set(error,
				  "`%s` names no serial line: com2, 0x2f8, mmio:0xfe034000 or pci:00:16.3, then "
				  "perhaps "
				  "`,115200n8`, `,stride=4` and `,clock=48000000` (docs/abi.md)",
				  word);
		*baud = line.baud;
	}
	free(copy);
	return valid;
}
