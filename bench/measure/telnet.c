/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "measure/telnet.h"

#include <stdbool.h>
#include <stddef.h>

enum { SE = 240, SB = 250, WILL = 251, WONT = 252, DO = 253, DONT = 254, IAC = 255 };

static void decline(const struct telnet *t, unsigned char option, void (*reply)(void *, const unsigned char *),
		    void *context)
{
	unsigned char bytes[TELNET_REPLY_MAX] = {IAC, t->verb == WILL ? DONT : WONT, option};

	if (t->verb == WILL || t->verb == DO)
		reply(context, bytes);
}

static int after_command(unsigned char verb)
{
	if (verb >= WILL && verb <= DONT)
		return TELNET_OPTION;
	return verb == SB ? TELNET_SUB : TELNET_DATA;
}

/* True when the byte is the console's. */
static bool step(struct telnet *t, unsigned char byte, void (*reply)(void *, const unsigned char *), void *context)
{
	switch (t->state) {
	case TELNET_DATA:
		if (byte == IAC)
			t->state = TELNET_IAC;
		return byte != IAC;
	case TELNET_IAC:
		t->verb = byte;
		t->state = after_command(byte);
		return byte == IAC; /* doubled: a byte of data */
	case TELNET_OPTION:
		decline(t, byte, reply, context);
		t->state = TELNET_DATA;
		return false;
	case TELNET_SUB:
		if (byte == IAC)
			t->state = TELNET_SUB_IAC;
		return false;
	case TELNET_SUB_IAC:
		t->state = byte == SE ? TELNET_DATA : TELNET_SUB;
		return false;
	}
	return false;
}

size_t telnet_filter(struct telnet *telnet, char *data, size_t len,
		     void (*reply)(void *context, const unsigned char *bytes), void *context)
{
	size_t kept = 0;

	for (size_t i = 0; i < len; i++)
		if (step(telnet, (unsigned char)data[i], reply, context))
			data[kept++] = data[i];
	return kept;
}
