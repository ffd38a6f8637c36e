/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "test.h"

#include "measure/elf_info.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

struct image {
	Elf64_Ehdr head;
	Elf64_Phdr segment;
	Elf64_Nhdr note;
	char owner[4];
	unsigned char id[4];
};

static struct image example(void)
{
	struct image image = {
		.head = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, 1},
			 .e_phoff = offsetof(struct image, segment),
			 .e_phnum = 1},
		.segment = {.p_type = PT_NOTE,
			    .p_offset = offsetof(struct image, note),
			    .p_filesz = sizeof(struct image) - offsetof(struct image, note)},
		.note = {4, 4, NT_GNU_BUILD_ID},
		.owner = "GNU",
		.id = {0xde, 0xad, 0x00, 0x0f},
	};

	return image;
}

UNIT_TEST(finds_the_build_id)
{
	struct image image = example();
	struct elf_info info;

	assert_true(elf_info_read(&info, &image, sizeof(image)));
	assert_true(info.is_64);
	assert_string_equal(info.build_id, "dead000f");
}

UNIT_TEST(no_note)
{
	struct image image = example();
	struct elf_info info;

	image.note.n_type = 1;
	assert_true(elf_info_read(&info, &image, sizeof(image)));
	assert_string_equal(info.build_id, "");
}

UNIT_TEST(not_elf)
{
	struct elf_info info;

	assert_false(elf_info_read(&info, "", 0));
	assert_false(elf_info_read(&info,
				   "\x7f"
				   "ELF",
				   4));
	assert_false(elf_info_read(&info, "#!/bin/sh\necho hello\n", 20));
}

/* Each length and each damaged byte: the sanitizers watch. The copy has the exact size, so that an overrun is seen.
 */
UNIT_TEST(damaged)
{
	struct image image = example();
	struct elf_info info;

	for (size_t len = 0; len <= sizeof(image); len++) {
		void *copy = malloc(len ? len : 1);

		memcpy(copy, &image, len);
		elf_info_read(&info, copy, len);
		free(copy);
	}
	for (size_t at = 0; at < sizeof(image); at++) {
		for (unsigned value = 0; value < 256; value += 15) {
			struct image changed = image;

			((unsigned char *)&changed)[at] = (unsigned char)value;
			elf_info_read(&info, &changed, sizeof(changed));
			assert_true(strlen(info.build_id) < sizeof(info.build_id));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_the_build_id),
		cmocka_unit_test(no_note),
		cmocka_unit_test(not_elf),
		cmocka_unit_test(damaged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
