/* SPDX-License-Identifier: GPL-2.0-or-later */
/* By which words a console line is somebody's last. */
#pragma once

#include "measure/session.h"

#include <stddef.h>

#define PANIC_WORDS "PANIC:"          /* the kernel's begin so */
#define PANIC_WORDS_XEN_LINE "(XEN) " /* each of Xen's lines does */
#define PANIC_WORDS_XEN PANIC_WORDS_XEN_LINE "Panic on CPU "

/* Whose panic a line is (FAULT_PANIC, FAULT_FOREIGN), or FAULT_NONE; and where its words begin. */
enum fault panic_words_find(const char *line, size_t len, const char **words);
