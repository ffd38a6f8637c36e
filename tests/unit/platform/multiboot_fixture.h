/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a boot loader leaves in memory, and looks at what was understood of it. */
#pragma once

#include "unit.h"

#include <stdio.h>

#include "fake_log.h"
#include "physical.h"
#include "platform/multiboot.h"

#include <hedron/hip.h>

#define INFO 0x9000
#define DATA 0x20000 /* where the lists of Multiboot 1 are */

static struct boot_info boot;

UNIT_FIXTURE(setup)
{
	physical_reset();
	physical_add(INFO, 0x10000);
	physical_add(DATA, 0x10000);
	fake_log_start();
	return 0;
}

UNIT_FIXTURE(teardown)
{
	physical_reset();
	return 0;
}

static inline void assert_map(unsigned i, u64 addr, u64 size, u32 type)
{
	assert_int_equal(boot.map[i].addr, addr);
	assert_int_equal(boot.map[i].size, size);
	assert_int_equal(boot.map[i].type, type);
}

static inline void assert_module(unsigned i, u64 addr, u64 size, u64 cmdline, u64 cmdline_size)
{
	assert_int_equal(boot.module[i].image.addr, addr);
	assert_int_equal(boot.module[i].image.size, size);
	assert_int_equal(boot.module[i].cmdline, cmdline);
	assert_int_equal(boot.module[i].cmdline_size, cmdline_size);
}

static inline void assert_loader(unsigned i, u64 addr, u64 size)
{
	assert_true(i < boot.loader_count);
	assert_int_equal(boot.loader[i].addr, addr);
	assert_int_equal(boot.loader[i].size, size);
}

/* The words of a screen as both protocols have them: `gap` bytes lie before the colours. */
static inline void put_screen(u64 pa, u64 gap, u8 type)
{
	static const u8 bgr[6] = {16, 8, 8, 7, 0, 6};

	physical_put64(pa, 0x4000001000);
	physical_put32(pa + 8, 5120);
	physical_put32(pa + 12, 1280);
	physical_put32(pa + 16, 800);
	physical_put(pa + 20, &(u8[]){32, type}, 2);
	physical_put(pa + 22 + gap, bgr, sizeof(bgr));
}

static inline void assert_screen(void)
{
	const struct hip_framebuffer wanted = {
		.addr = 0x4000001000,
		.pitch = 5120,
		.width = 1280,
		.height = 800,
		.bits = 32,
		.red_at = 16,
		.red_size = 8,
		.green_at = 8,
		.green_size = 7,
		.blue_size = 6,
	};

	assert_int_equal(boot.screen, BOOT_SCREEN_RGB);
	assert_memory_equal(&boot.framebuffer, &wanted, sizeof(wanted));
}

static inline void put_text(u64 pa, const char *text)
{
	physical_put(pa, text, strlen(text) + 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, setup, teardown)
