/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which files machines have got by TFTP, as the lines tell that dnsmasq writes. */
#pragma once

#include <stddef.h>

enum { TFTP_LOG_ABORTED_MAX = 16, TFTP_LOG_ADDRESS_MAX = 48 };

struct tftp_log {
	/* Who has ended a transfer before its end: dnsmasq calls that sent, too, in a line to come. */
	char aborted[TFTP_LOG_ABORTED_MAX][TFTP_LOG_ADDRESS_MAX];
	unsigned next; /* the oldest one */
};

/* The path, below the folder, of a file that somebody has now got wholly, to be freed; else NULL. */
char *tftp_log_line(struct tftp_log *log, const char *folder, const char *line, size_t len);
