/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel log and the devices that show it. A message goes into a ring of 8 KiB first. While the machine comes up,
 * and after a panic, it is also written to all devices before klog() returns. In between nobody waits for a device:
 * whoever logs writes what the devices take at once, idle CPUs write the rest (core/drain.h), and user land that
 * writes to the same serial line fetches it (docs/design/console.md). Locking: one lock inside, held for one step, so
 * handlers of NMIs and machine checks must not log.
 */
#pragma once

#include "lib/types.h"

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

/* What user land has to do with a console. */
enum console_sharing {
	CONSOLE_KERNELS, /* nothing */
	CONSOLE_SHARED,  /* it drives the device, too: the kernel writes while no line of user land is under way */
	CONSOLE_KEEPER,  /* the kernel drives it, and gives it what user land says, too */
};

struct console {
	void (*write)(const char *text, size_t len); /* bytes are 0x20..0x7e and \n */
	/* How many bytes write() takes at this moment without waiting; a newline may count twice. NULL: any. */
	size_t (*room)(void);
	void (*seize)(
		void); /* a panic begins: user land's part of the device is the kernel's now. NULL: it has none */
	bool costly;   /* a line takes thousands of instructions: for idle CPUs only */
	enum console_sharing sharing;

	/* console.c's; zero at first */
	struct console *next;
	u64 shown;     /* bytes of the ring that it has been given, or has lost */
	bool mid;      /* the last of them is not the end of a line */
	bool user_mid; /* it has got a part of a line of user land last */
	bool cut;      /* it has lost the end of a line that it has the beginning of */
	u32 lost;      /* lines */
	u32 stalls;    /* how often it had no room, one after the other */
	char note[32]; /* text that is not in the ring, to be shown before it goes on */
	u8 note_length, note_at;
};

/* Shows what is in the ring, and from now on every message. Adding one twice does nothing. */
void console_add(struct console *c);

/* Messages above this level are dropped. LOG_INFO at first. */
void console_set_level(enum log_level level);

/*
 * The machine is up: from now on nobody waits for a device. `wake` is called, without the lock, when something is
 * left to be written by an idle CPU.
 */
void console_run(void (*wake)(void));

/* Something is left to be written. Read without the lock. */
extern bool console_pending;
/* Writes a piece of what is left, on an idle CPU. Does not wait. */
void console_drain(void);

/* For panic(): the lock may be held by a CPU that never releases it; it is ignored from now on. Writes all that is
 * left. */
void console_seize(void);

/*
 * User land is about to write a line to the devices that it shares with the kernel, which keeps away from them until
 * console_release(), or for CONSOLE_CLAIM_TICKS if that is forgotten. Puts what user land is to write before it into
 * text[size] and returns how much that is; it calls again until that is 0. A size of 0: it writes elsewhere.
 */
#define CONSOLE_CLAIM_TICKS (1ull << 35)
size_t console_claim(char *text, size_t size);
void console_release(void);
/* What user land says, for the consoles that keep it; text[length] is changed. */
void console_write_user(char *text, size_t length);

/* A newline is added where the message does not end with one. Long messages are cut at CONSOLE_LINE_MAX. */
#define CONSOLE_LINE_MAX 256
void klog(enum log_level level, const char *fmt, ...) printf_like(2, 3);

#define log_error(...) klog(LOG_ERROR, __VA_ARGS__)
#define log_warn(...) klog(LOG_WARN, __VA_ARGS__)
#define log_info(...) klog(LOG_INFO, __VA_ARGS__)
#define log_debug(...) klog(LOG_DEBUG, __VA_ARGS__)

/*
 * For what user code can provoke, at LOG_WARN: a burst of LOG_USER_BURST messages, then one per LOG_USER_TICKS of the
 * TSC. What is dropped is counted; the count precedes the next message that gets through.
 */
#define LOG_USER_BURST 64
#define LOG_USER_TICKS (1ull << 28)
void log_user(const char *fmt, ...) printf_like(1, 2);
