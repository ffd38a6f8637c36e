/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Kernels made here, and where they and what belongs to them end up in a VM of 16 MiB. */
#include "unit.h"

#include "vmm/load.h"

#include <stdarg.h>
#include <stdlib.h>

enum { RAM = 16 << 20, KERNEL = 32768, MIB = 1 << 20 };

static uint8_t kernel[KERNEL];
static struct utcb_state page;
static struct guest_vm vm;

/* ---- In place of the runtime ---- */

void rt_printf(const char *fmt, ...)
{
	(void)fmt;
}

/* ---- */

UNIT_FIXTURE(setup)
{
	memset(kernel, 0, sizeof(kernel));
	page = (struct utcb_state){0};
	vm = (struct guest_vm){.ram = calloc(1, RAM), .ram_size = RAM, .machine.processors = 1, .cpu[0].s = &page};
	return !vm.ram;
}

UNIT_FIXTURE(teardown)
{
	free(vm.ram);
	return 0;
}

static void put(size_t at, uint64_t value, unsigned size)
{
	memcpy(kernel + at, &value, size);
}

static uint64_t got(size_t at, unsigned size)
{
	uint64_t value = 0;

	assert_true(at + size <= RAM);
	memcpy(&value, vm.ram + at, size);
	return value;
}

static bool loads(const void *initrd, size_t size)
{
	struct load_image image = {.file = {{kernel, KERNEL, "words"}, {initrd, size, "of it"}},
				   .files = initrd ? 2 : 1};

	return load(&vm, &image);
}

/* ---- Multiboot ---- */

enum { MULTIBOOT_AT = 4096 };

static void put_header(uint32_t flags)
{
	put(MULTIBOOT_AT, 0x1badb002, 4);
	put(MULTIBOOT_AT + 4, flags, 4);
	put(MULTIBOOT_AT + 8, -(0x1badb002u + flags), 4);
}

/* One segment: 4096 bytes from 4096 on, and as many that are 0. */
static void put_elf_32(uint32_t virtual, uint32_t physical, uint32_t entry)
{
	const uint32_t segment[] = {1, MULTIBOOT_AT, virtual, physical, 4096, 8192, 5, 4096};

	memcpy(kernel, "\177ELF\1\1\1", 7);
	put(24, entry, 4);
	put(28, 52, 4);
	put(42, sizeof(segment), 2);
	put(44, 1, 2);
	memcpy(kernel + 52, segment, sizeof(segment));
	put_header(3);
}

UNIT_TEST(test_elf)
{
	put_elf_32(MIB, MIB, MIB + 0x20);
	assert_true(loads("abc", 3));
	assert_int_equal(page.rip, MIB + 0x20);
	assert_int_equal(page.rax, 0x2badb002);
	assert_int_equal(got(MIB, 4), 0x1badb002);
	uint32_t modules = (uint32_t)got(page.rbx + 24, 4);

	assert_int_equal(got(page.rbx + 20, 4), 1);
	assert_int_equal(got(modules, 4), MIB + 8192); /* behind the zeros */
	assert_int_equal(got(modules + 4, 4), MIB + 8192 + 3);
	assert_memory_equal(vm.ram + MIB + 8192, "abc", 3);
}

/* Without paging a kernel runs where it is loaded, whatever it is linked for; some name that address themselves. */
UNIT_TEST(test_elf_of_the_upper_half)
{
	put_elf_32(0xc0100000, MIB, 0xc0100020);
	assert_true(loads(NULL, 0));
	assert_int_equal(page.rip, MIB + 0x20);
	put_elf_32(0xc0100000, MIB, MIB + 0x40);
	assert_true(loads(NULL, 0));
	assert_int_equal(page.rip, MIB + 0x40);
}

UNIT_TEST(test_flat)
{
	const uint32_t addresses[] = {2 * MIB + 0x100, 2 * MIB, 2 * MIB + 0x2000, 3 * MIB, 2 * MIB + 0x123};

	put_header(1 << 16);
	memcpy(kernel + MULTIBOOT_AT + 12, addresses, sizeof(addresses));
	vm.ram[3 * MIB - 1] = 1;
	assert_true(loads(NULL, 0));
	assert_int_equal(page.rip, 2 * MIB + 0x123);
	assert_int_equal(got(2 * MIB + 0x100, 4), 0x1badb002);
	assert_int_equal(got(3 * MIB - 1, 1), 0);
}

UNIT_TEST(test_multiboot_refused)
{
	put_elf_32(MIB, MIB - 4096, MIB); /* over what the loader puts below the first MiB */
	assert_false(loads(NULL, 0));
	put_elf_32(MIB, RAM - 4096, MIB);
	assert_false(loads(NULL, 0));
	put_elf_32(MIB, MIB, MIB);
	put(52 + 16, KERNEL, 4); /* more than the file has */
	assert_false(loads(NULL, 0));
	put_elf_32(MIB, MIB, MIB);
	put_header(8);
	assert_false(loads(NULL, 0));
}

/* ---- Linux ---- */

static void put_linux(bool relocatable, uint64_t preferred, uint32_t init_size)
{
	put(0x1f1, 1, 1);
	put(0x1fe, 0xaa55, 2);
	put(0x200, 0x66eb, 2);
	memcpy(kernel + 0x202, "HdrS", 4);
	put(0x206, 0x20f, 2);
	put(0x211, 1, 1);
	put(0x22c, 0x7fffffff, 4);
	put(0x234, relocatable, 1);
	put(0x236, 1, 2);
	put(0x238, 255, 4);
	put(0x258, preferred, 8);
	put(0x260, init_size, 4);
	memcpy(kernel + 1024, "code", 4);
}

UNIT_TEST(test_linux)
{
	put_linux(true, 2 * MIB, MIB);
	assert_true(loads("initrd", 6));
	assert_int_equal(page.rip, 2 * MIB + 0x200);
	assert_memory_equal(vm.ram + 2 * MIB, "code", 4);
	assert_int_equal(got(page.rsi + 0x214, 4), 2 * MIB);
	assert_int_equal(got(page.rsi + 0x218, 4), RAM - 4096);
	assert_int_equal(got(page.rsi + 0x21c, 4), 6);
	assert_memory_equal(vm.ram + RAM - 4096, "initrd", 6);
	assert_string_equal((char *)vm.ram + got(page.rsi + 0x228, 4), "words");
	put(0x22c, 4 * MIB - 1, 4); /* an initrd ends there */
	assert_true(loads("initrd", 6));
	assert_int_equal(got(page.rsi + 0x218, 4), 4 * MIB - 4096);
	put(0x22c, 3 * MIB - 1, 4); /* where the kernel will be */
	assert_false(loads("initrd", 6));
}

/* A kernel that cannot be moved is loaded at 1 MiB, and moves itself to where it wants to be. */
UNIT_TEST(test_linux_fixed)
{
	put_linux(false, 2 * MIB, MIB);
	assert_true(loads(NULL, 0));
	assert_int_equal(page.rip, MIB + 0x200);
	assert_memory_equal(vm.ram + MIB, "code", 4);
	assert_int_equal(got(page.rsi + 0x214, 4), MIB);
	put_linux(false, 2 * MIB, RAM);
	assert_false(loads(NULL, 0));
}

/* No kernel is put over its own parameters; one that prefers nothing is at 1 MiB, and its initrd behind it. */
UNIT_TEST(test_linux_low)
{
	put_linux(true, 0, MIB);
	assert_true(loads(NULL, 0));
	assert_int_equal(page.rip, MIB + 0x200);
	put(0x22c, 2 * MIB - 1, 4);
	assert_false(loads("initrd", 6));
	put_linux(true, 0x10000, MIB);
	assert_false(loads(NULL, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_elf, setup, teardown),
		cmocka_unit_test_setup_teardown(test_elf_of_the_upper_half, setup, teardown),
		cmocka_unit_test_setup_teardown(test_flat, setup, teardown),
		cmocka_unit_test_setup_teardown(test_multiboot_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(test_linux, setup, teardown),
		cmocka_unit_test_setup_teardown(test_linux_fixed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_linux_low, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
