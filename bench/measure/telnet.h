/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What telnet mixes into a console server's bytes (RFC 854), taken out; every option the server proposes is declined.
 */
#pragma once

#include <stddef.h>

enum { TELNET_REPLY_MAX = 3 };

struct telnet {
	enum { TELNET_DATA, TELNET_IAC, TELNET_OPTION, TELNET_SUB, TELNET_SUB_IAC } state;
	unsigned char verb; /* of the option that comes */
};

/*
 * Removes commands from data in place; the number of bytes left. reply() sends TELNET_REPLY_MAX bytes back to the
 * server.
 */
size_t telnet_filter(struct telnet *telnet, char *data, size_t len,
		     void (*reply)(void *context, const unsigned char *bytes), void *context);
