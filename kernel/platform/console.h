/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel log and the devices that show it. A message is formatted first and then written at once, always whole
 * lines: the serial line is shared with user land. The last 8 KiB are kept, so that a console shows what was logged
 * before it was added. Locking: one lock inside, so handlers of NMIs and machine checks must not log.
 */
#pragma once

#include "lib/types.h"

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

struct console {
	void (*write)(const char *text, size_t len); /* bytes are 0x20..0x7e and \n */
	struct console *next;                        /* belongs to console.c */
};

/* Shows what is in the ring, and from now on every message. Adding one twice does nothing. */
void console_add(struct console *c);

/* Messages above this level are dropped. LOG_INFO at first. */
void console_set_level(enum log_level level);

/* For panic(): the lock may be held by a CPU that never releases it; it is ignored from now on. */
void console_seize(void);

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
