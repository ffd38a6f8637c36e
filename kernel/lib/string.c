/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/string.h"

/* GCC would recognize the loops below as the very functions they implement. */
#ifndef __clang__
#pragma GCC optimize("no-tree-loop-distribute-patterns")
#endif

/*
 * Eight bytes at a time, then the rest. CPUs with fast string instructions do not care; for all others, and for
 * counting executed instructions, an iteration is an instruction.
 */
void *memcpy(void *restrict to, const void *restrict from, size_t n)
{
	void *at = to;
	size_t words = n / 8, rest = n % 8;
	__asm__ volatile("rep movsq" : "+D"(at), "+S"(from), "+c"(words)::"memory");
	__asm__ volatile("rep movsb" : "+D"(at), "+S"(from), "+c"(rest)::"memory");
	return to;
}

void *memmove(void *to, const void *from, size_t n)
{
	if ((uintptr_t)to - (uintptr_t)from >= n)
		return memcpy(to, from, n); /* copying upwards never overwrites what is still to be read */

	u8 *t = to;
	const u8 *f = from;
	while (n--)
		t[n] = f[n];
	return to;
}

void *memset(void *to, int byte, size_t n)
{
	void *at = to;
	size_t words = n / 8, rest = n % 8;
	u64 pattern = (u8)byte * 0x0101010101010101ull;
	__asm__ volatile("rep stosq" : "+D"(at), "+c"(words) : "a"(pattern) : "memory");
	__asm__ volatile("rep stosb" : "+D"(at), "+c"(rest) : "a"(pattern) : "memory");
	return to;
}

int memcmp(const void *a, const void *b, size_t n)
{
	const u8 *x = a, *y = b;
	for (size_t i = 0; i < n; i++)
		if (x[i] != y[i])
			return x[i] - y[i];
	return 0;
}

size_t strlen(const char *s)
{
	return strnlen(s, SIZE_MAX);
}

size_t strnlen(const char *s, size_t max)
{
	size_t n = 0;
	while (n < max && s[n])
		n++;
	return n;
}

int strcmp(const char *a, const char *b)
{
	return strncmp(a, b, SIZE_MAX);
}

int strncmp(const char *a, const char *b, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (a[i] != b[i])
			return (u8)a[i] - (u8)b[i];
		if (!a[i])
			break;
	}
	return 0;
}
