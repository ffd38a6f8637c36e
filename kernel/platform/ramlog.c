/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What was written is written back to memory at once: a reset may come at any time, and drops what is in caches.
 * Locking: the console's.
 */
#include "platform/ramlog.h"

#include "arch/cpu.h"
#include "lib/bits.h"
#include "lib/format.h"
#include "lib/string.h"
#include "platform/console.h"

static struct ramlog *ram;
static u32 capacity; /* bytes of text */

_Static_assert(sizeof(struct ramlog) == 12, "as in Linux");

static void write_header(u32 start, u32 size)
{
	WRITE_ONCE(ram->start, start);
	WRITE_ONCE(ram->size, size);
	arch_write_back(ram, sizeof(*ram));
}

/* The header comes last: it never promises text that is not there yet. */
static void ramlog_write(const char *text, size_t length)
{
	u32 start = ram->start, size = ram->size;

	while (length) {
		u32 n = (u32)min_u64(length, capacity - start);
		memcpy(ram->data + start, text, n);
		arch_write_back(ram->data + start, n);
		start = (start + n) % capacity;
		size = (u32)min_u64(size + n, capacity);
		text += n;
		length -= n;
	}
	write_header(start, size);
}

void ramlog_init(void *memory, struct range at, u64 boot_id)
{
	static struct console console = {.write = ramlog_write, .sharing = CONSOLE_KEEPER};
	char line[CONSOLE_LINE_MAX];

	ram = memory;
	capacity = (u32)(at.size - sizeof(*ram));
	ram->signature = RAMLOG_SIGNATURE;
	write_header(0, 0);
	ramlog_write(line, format_text(line, sizeof(line), "RAM log: boot %016lx, %llu KiB at %#lx\n", boot_id,
				       at.size / KiB, at.addr));
	console_add(&console);
	log_info("log in RAM at %#lx, for Linux: ramoops.mem_address=%#lx ramoops.mem_size=%#lx "
		 "ramoops.console_size=%#lx",
		 at.addr, at.addr, at.size, at.size);
}
