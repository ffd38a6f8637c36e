/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel's memory and string functions against the C library's, over all small sizes, offsets and overlaps. */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>

/* Both have the same names: the kernel's get a prefix here. */
#define memcpy kernel_memcpy
#define memmove kernel_memmove
#define memset kernel_memset
#define memcmp kernel_memcmp
#define strlen kernel_strlen
#define strnlen kernel_strnlen
#define strcmp kernel_strcmp
#define strncmp kernel_strncmp
#include "lib/string.c"
#undef memcpy
#undef memmove
#undef memset
#undef memcmp
#undef strlen
#undef strnlen
#undef strcmp
#undef strncmp

#define SIZE 48

static u8 wanted[SIZE], got[SIZE];

static void fill(void)
{
	for (unsigned i = 0; i < SIZE; i++)
		wanted[i] = got[i] = (u8)(i * 7 + 1);
}

UNIT_TEST(test_memcpy)
{
	for (size_t n = 0; n <= SIZE / 2; n++) {
		fill();
		memcpy(wanted + 3, wanted + SIZE / 2, n > 21 ? 21 : n);
		assert_ptr_equal(kernel_memcpy(got + 3, got + SIZE / 2, n > 21 ? 21 : n), got + 3);
		assert_memory_equal(got, wanted, SIZE);
	}
}

UNIT_TEST(test_memmove)
{
	for (size_t to = 0; to < 16; to++)
		for (size_t from = 0; from < 16; from++)
			for (size_t n = 0; n <= SIZE - 16; n++) {
				fill();
				memmove(wanted + to, wanted + from, n);
				assert_ptr_equal(kernel_memmove(got + to, got + from, n), got + to);
				assert_memory_equal(got, wanted, SIZE);
			}
}

UNIT_TEST(test_memset)
{
	for (size_t n = 0; n < SIZE; n++) {
		fill();
		memset(wanted + 1, (int)(n | 0x500), n);
		assert_ptr_equal(kernel_memset(got + 1, (int)(n | 0x500), n), got + 1);
		assert_memory_equal(got, wanted, SIZE);
	}
}

static int sign(int v)
{
	return (v > 0) - (v < 0);
}

UNIT_TEST(test_memcmp)
{
	fill();
	assert_int_equal(kernel_memcmp(got, wanted, SIZE), 0);
	for (size_t i = 0; i < SIZE; i++) {
		fill();
		got[i] ^= 0x80; /* tells signed from unsigned comparison */
		for (size_t n = 0; n <= SIZE; n++)
			assert_int_equal(sign(kernel_memcmp(got, wanted, n)), sign(memcmp(got, wanted, n)));
	}
}

static const char *const words[] = {"", "a", "b", "ab", "abc", "abd", "\x80", "a\x80", "abcdefghijklmnop"};

UNIT_TEST(test_strlen)
{
	for (size_t i = 0; i < array_size(words); i++) {
		assert_int_equal(kernel_strlen(words[i]), strlen(words[i]));
		for (size_t max = 0; max < 20; max++)
			assert_int_equal(kernel_strnlen(words[i], max), strnlen(words[i], max));
	}
}

/* What lies behind the bound must not be read: there is no NUL, and the sanitizer watches. */
UNIT_TEST(test_strnlen_is_bounded)
{
	char *text = malloc(3);
	memcpy(text, "xyz", 3);
	assert_int_equal(kernel_strnlen(text, 3), 3);
	assert_int_equal(kernel_strncmp(text, "xyzw", 3), 0);
	free(text);
}

UNIT_TEST(test_strcmp)
{
	for (size_t i = 0; i < array_size(words); i++)
		for (size_t j = 0; j < array_size(words); j++) {
			assert_int_equal(sign(kernel_strcmp(words[i], words[j])), sign(strcmp(words[i], words[j])));
			for (size_t n = 0; n < 20; n++)
				assert_int_equal(sign(kernel_strncmp(words[i], words[j], n)),
						 sign(strncmp(words[i], words[j], n)));
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_memcpy), cmocka_unit_test(test_memmove),
		cmocka_unit_test(test_memset), cmocka_unit_test(test_memcmp),
		cmocka_unit_test(test_strlen), cmocka_unit_test(test_strnlen_is_bounded),
		cmocka_unit_test(test_strcmp),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
