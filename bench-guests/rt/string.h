/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory and strings, with the meaning that the C standard gives these names. Compilers call the first four by
 * themselves.
 */
#pragma once

#include <stddef.h>

void *memset(void *to, int byte, size_t n);
void *memcpy(void *to, const void *from, size_t n);
void *memmove(void *to, const void *from, size_t n);
int memcmp(const void *a, const void *b, size_t n);
size_t strlen(const char *s);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t n);
