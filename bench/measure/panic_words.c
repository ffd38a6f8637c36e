/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "measure/panic_words.h"

#include <string.h>
#include <strings.h>

#define LINUX_PANIC "Kernel panic - "

/* Skips what consoles put before a message: "[0] ", "[    0.12] ", "CPU 0: ". */
static size_t skip_stamp(const char *line, size_t len)
{
	const char *end = len && line[0] == '[' ? memchr(line, ']', len) : NULL;
	size_t at = end ? (size_t)(end - line) + 1 : 0;

	while (at < len && line[at] == ' ')
		at++;
	return at;
}

static bool starts_with(const char *line, size_t len, const char *word)
{
	return len >= strlen(word) && !strncasecmp(line, word, strlen(word));
}

static bool contains(const char *line, size_t len, const char *word)
{
	return memmem(line, len, word, strlen(word));
}

/* "panic: why", "PANIC - why", "panicked at ..."; no "panic button". */
static bool is_word_of_panic(const char *line, size_t len)
{
	static const char word[] = "panic";
	size_t at = sizeof(word) - 1;

	if (!starts_with(line, len, word))
		return false;
	while (at < len && line[at] == ' ')
		at++;
	return at == len || memchr(":-!(", line[at], 4) || starts_with(line, len, "panicked");
}

/*
 * Whose panic a line is, if it is one, and where its words begin. The kernel writes "PANIC: ..." after the word for
 * the message's level, guests begin with it. Other systems are known by words that they begin with after stamps of
 * all kinds.
 */
enum fault panic_words_find(const char *line, size_t len, const char **words)
{
	size_t at = skip_stamp(line, len);

	*words = line;
	if (contains(line, len, PANIC_WORDS))
		return FAULT_PANIC;
	*words = memmem(line, len, LINUX_PANIC, strlen(LINUX_PANIC));
	if (!*words)
		*words = memmem(line, len, PANIC_WORDS_XEN, strlen(PANIC_WORDS_XEN));
	if (*words)
		return FAULT_FOREIGN;
	*words = line;
	if (starts_with(line + at, len - at, "kernel panic"))
		return FAULT_FOREIGN;
	return is_word_of_panic(line + at, len - at) ? FAULT_PANIC : FAULT_NONE;
}
