/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fleet/said.h"

#include "host/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int said_open(struct error *error)
{
	int fd = open(getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd < 0)
		error_store(error, "cannot make a temporary file: %s", strerror(errno));
	return fd;
}

void said_last_words(int fd, char *out, size_t size)
{
	char data[2048] = "", *start = data;
	off_t end = lseek(fd, 0, SEEK_END);
	ssize_t len = pread(fd, data, sizeof(data) - 1, end > 2047 ? end - 2047 : 0);

	for (data[len < 0 ? 0 : len] = '\0'; len > 0 && strchr("\r\n ", data[len - 1]); len--)
		data[len - 1] = '\0';
	if (strrchr(data, '\n'))
		start = strrchr(data, '\n') + 1;
	snprintf(out, size, "%.*s", (int)size - 1, start);
	text_mask(out);
}
