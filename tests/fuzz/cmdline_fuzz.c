/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Input: a command line. */
#include "fuzz.h"

#include "platform/cmdline.h"
#include "platform/console.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cmdline c;
	char *text = malloc(size + 1); /* exactly as long as it is */

	memcpy(text, data, size);
	text[size] = '\0';
	cmdline_parse(text, &c);
	CHECK(c.log_level >= LOG_ERROR && c.log_level <= LOG_DEBUG);
	CHECK(c.serial.place == SERIAL_NONE || strstr(text, "serial"));
	CHECK(!c.heap || strstr(text, "heap="));
	CHECK(c.vga || strstr(text, "novga"));
	CHECK(c.pcid || strstr(text, "nopcid"));
	CHECK(c.vpid || strstr(text, "novpid"));
	CHECK(!c.l1_flush || strstr(text, "l1flush"));
	CHECK(c.mwait || strstr(text, "nomwait"));
	free(text);
	return 0;
}
