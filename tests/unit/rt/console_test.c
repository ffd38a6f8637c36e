/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The runtime's serial line: what is written, and how long the kernel's promise has to hold while it is. */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>

#include "rt/console.h"
#include "rt/cpu.h"
#include "rt/hip.h"
#include "rt/map.h"
#include "rt/port.h"
#include "rt/screen.h"

#define LINE (128 * 1024) /* the longest of a benchmark's lines (docs/bench-protocol.md) */

static struct {
	char text[LINE + 4096];
	size_t length, since_claim, longest; /* bytes: written, since the last claim, the most between two claims */
	unsigned claims;                     /* of one line */
	bool held;
	const char *kernel; /* what the kernel has to say */
} line;
static union {
	struct hip hip;
	char page[4096];
} information;

/* The code under test sees these instead of hypercalls and instructions. */
static enum status fake_claim(unsigned long flags, char text[MACHINE_CONSOLE_CLAIM_TEXT])
{
	size_t n = flags & MACHINE_CONSOLE_TAKES ? strnlen(line.kernel, MACHINE_CONSOLE_CLAIM_TEXT) : 0;

	memset(text, 0, MACHINE_CONSOLE_CLAIM_TEXT);
	memcpy(text, line.kernel, n);
	line.kernel += n;
	line.held = true;
	line.since_claim = 0;
	line.claims++;
	return SUCCESS;
}

static enum status fake_release(void)
{
	line.held = false;
	return SUCCESS;
}

static enum status fake_write(const char *text)
{
	(void)text;
	return SUCCESS;
}

static void fake_out8(uint16_t port, uint8_t v)
{
	if (port != 0x3f8 || !line.held)
		return;
	assert_true(line.length < sizeof(line.text));
	line.text[line.length++] = (char)v;
	if (++line.since_claim > line.longest)
		line.longest = line.since_claim;
}

static uint8_t fake_in8(uint16_t port)
{
	return port == 0x3fd ? 0x60 : 0; /* the line takes a byte */
}

#define hc_console_claim fake_claim
#define hc_console_release fake_release
#define hc_console_write fake_write
#define rt_out8 fake_out8
#define rt_in8 fake_in8
#include "rt/console.c"

/* The rest of the runtime, as far as it is needed here. */
const struct hip *rt_hip = &information.hip;
const struct hip_gas *rt_hip_serial(void)
{
	static const struct hip_gas com1 = {.space = HIP_GAS_PORTS, .bits = 8, .addr = 0x3f8};
	return &com1;
}
bool rt_hip_valid(void)
{
	return true;
}
void rt_screen_init(void) {}
void rt_screen_home(void) {}
void rt_screen_write(RT_UNUSED const char *text, RT_UNUSED size_t len) {}
void *rt_map(RT_UNUSED uint64_t pa, RT_UNUSED size_t size, RT_UNUSED unsigned rights)
{
	return NULL;
}
enum status rt_ports(RT_UNUSED uint16_t base, RT_UNUSED unsigned order)
{
	return SUCCESS;
}
int rt_vsnprintf(char *to, size_t size, const char *fmt, va_list ap)
{
	return vsnprintf(to, size, fmt, ap);
}

UNIT_FIXTURE(setup)
{
	memset(&line, 0, sizeof(line));
	line.kernel = "";
	information.hip.api_flg = HIP_EXT_CONSOLE;
	rt_console_init();
	return 0;
}

UNIT_TEST(kernels_text_comes_first)
{
	line.kernel = "what the kernel had to say\n";
	rt_write("mine\n", 5);
	assert_string_equal(line.text, "what the kernel had to say\r\nmine\r\n");
	assert_false(line.held);
}

/* A claim holds for 2^35 ticks, 7 seconds at 5 GHz; at 300 baud those are 200 bytes. */
UNIT_TEST(long_line_keeps_its_claim)
{
	char *text = malloc(LINE);

	for (size_t i = 0; i < LINE; i++)
		text[i] = (char)('a' + i % 26);
	text[LINE - 1] = '\n';
	rt_report(text, LINE);
	assert_int_equal(line.length, LINE + 1);
	assert_memory_equal(line.text, text, LINE - 1);
	assert_true(line.longest <= 200);
	assert_false(line.held);
	free(text);
}

/* Claiming anew in the middle of a line must not bring text of the kernel's into it. */
UNIT_TEST(kernels_text_waits_for_the_end)
{
	char text[1000];

	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\n';
	claim_line();
	line.kernel = "late\n";
	put_line(text, sizeof(text));
	assert_null(strstr(line.text, "late"));
	assert_int_equal(line.length, sizeof(text) + 1);
	release_line();
	rt_write("next\n", 5);
	assert_non_null(strstr(line.text, "x\r\nlate\r\nnext\r\n"));
}

UNIT_TEST(short_line_is_claimed_once)
{
	rt_write("short\n", 6);
	assert_int_equal(line.claims, 1);
}

int main(void)
{
#define TEST_OF(name) cmocka_unit_test_setup(name, setup)
	const struct CMUnitTest tests[] = {TEST_OF(kernels_text_comes_first), TEST_OF(long_line_keeps_its_claim),
					   TEST_OF(kernels_text_waits_for_the_end),
					   TEST_OF(short_line_is_claimed_once)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
