/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which files machines have got by TFTP, found in what dnsmasq writes. */
#pragma once

#include <stddef.h>

enum { TFTP_LOG_ABORTED_MAX = 16, TFTP_LOG_ADDRESS_MAX = 48 };

struct tftp_log {
	/* Who has broken off a transfer: a later line of dnsmasq's says that the file was sent all the same. */
	char aborted[TFTP_LOG_ABORTED_MAX][TFTP_LOG_ADDRESS_MAX];
	unsigned next; /* how many there were; modulo the size, the entry to be used next */
};

/* If the line says that somebody has got a whole file: its path below the folder, to be freed; else NULL. */
char *tftp_log_line(struct tftp_log *log, const char *folder, const char *line, size_t len);
