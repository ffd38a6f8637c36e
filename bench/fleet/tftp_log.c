/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fleet/tftp_log.h"

#include "host/mem.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define MARK "dnsmasq-tftp["

/* The text behind a word of the line, up to its end; NULL without it. */
static const char *behind(const char *line, size_t len, const char *word, size_t *left)
{
	const char *at = memmem(line, len, word, strlen(word));

	if (at) {
		at += strlen(word);
		*left = len - (size_t)(at - line);
	}
	return at;
}

/* A file's size is asked for by a transfer that is ended at once: "error 8 ... received from 10.77.0.13". */
static void note_aborted(struct tftp_log *log, const char *address, size_t len)
{
	char *slot = log->aborted[log->next++ % TFTP_LOG_ABORTED_MAX];

	snprintf(slot, TFTP_LOG_ADDRESS_MAX, "%.*s", len < TFTP_LOG_ADDRESS_MAX ? (int)len : 0, address);
}

static bool was_aborted(struct tftp_log *log, const char *address, size_t len)
{
	for (unsigned i = 0; i < TFTP_LOG_ABORTED_MAX; i++)
		if (strlen(log->aborted[i]) == len && len && !memcmp(log->aborted[i], address, len)) {
			*log->aborted[i] = '\0';
			return true;
		}
	return false;
}

/* "dnsmasq-tftp[61]: sent /srv/boot/node/52-54-00-77-00-01/job.efi to 10.77.0.13" */
char *tftp_log_line(struct tftp_log *log, const char *folder, const char *line, size_t len)
{
	size_t left, root = strlen(folder);
	const char *address, *sent;

	if (len < strlen(MARK) || memcmp(line, MARK, strlen(MARK)))
		return NULL;
	address = behind(line, len, " received from ", &left);
	if (address && memmem(line, len, " error ", 7)) {
		note_aborted(log, address, left);
		return NULL;
	}
	sent = behind(line, len, " sent ", &left);
	if (!sent || left <= root || memcmp(sent, folder, root) || sent[root] != '/')
		return NULL;
	sent += root + 1;
	address = behind(sent, left - root - 1, " to ", &left);
	if (!address || was_aborted(log, address, left))
		return NULL;
	return xasprintf("%.*s", (int)(address - sent - 4), sent);
}
