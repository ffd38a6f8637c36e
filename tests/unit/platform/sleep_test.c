/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The S3 sleep type in AML: found wherever it may stand and in whatever way it may be written, and nothing else taken
 * for it. */
#include "unit.h"

#include "fake_log.h"
#include "physical.h"
#include "platform/acpi.h"
#include "platform/sleep.h"

#define TABLE 0x7fe0000
#define SPACE 0x3000
#define HEADER 36

UNIT_FIXTURE(setup)
{
	physical_reset();
	physical_add(TABLE, SPACE);
	return 0;
}

/* What is found in a table of `length` bytes with this code at `at`. */
static struct sleep_types find(u32 at, const void *code, u32 size, u32 length)
{
	struct sleep_types found = {0};

	memset(physical_at(TABLE, SPACE), 0, SPACE);
	physical_put(TABLE + at, code, size);
	sleep_find_s3(TABLE, length, &found);
	return found;
}

#define FIND(code) find(HEADER, code, sizeof(code) - 1, HEADER + sizeof(code) - 1)

static void assert_types(struct sleep_types t, u8 a, u8 b)
{
	assert_true(t.known);
	assert_int_equal(t.a, a);
	assert_int_equal(t.b, b);
}

UNIT_TEST(ways_to_write_it)
{
	assert_types(FIND("\x08_S3_\x12\x04\x02\x01\x00"), 1, 0);
	assert_types(FIND("\x08_S3_\x12\x06\x02\x0a\x05\x0a\x05"), 5, 5);
	assert_types(FIND("\x08\\_S3_\x12\x06\x04\x01\x01\x00\x00"), 1, 1);
	assert_types(FIND("\x08_S3_\x12\x08\x02\x0b\x07\x00\x0a\x03"), 7, 3);
	assert_types(FIND("\x08_S3_\x12\x0c\x02\x0c\x06\x00\x00\x00\x0c\x02\x00\x00\x00"), 6, 2);
	assert_types(FIND("\x08_S3_\x12\x46\x00\x02\x01\x01"), 1, 1);
	assert_types(FIND("\x08_S3_\x12\x86\x00\x00\x02\x01\x01"), 1, 1);
	assert_types(FIND("\x08_S3_\x12\xc6\x00\x00\x00\x02\x01\x01"), 1, 1);
}

UNIT_TEST(other_things)
{
	assert_false(FIND("\x08_S1_\x12\x04\x02\x01\x01").known);
	assert_false(FIND("\x08_S4_\x12\x04\x02\x01\x01").known);
	assert_false(FIND("\x14_S3_\x12\x04\x02\x01\x01").known); /* a method */
	assert_false(FIND("\\_S3_\x12\x04\x02\x01\x01").known);   /* a reference */
	assert_false(FIND("\x08^_S3_\x12\x04\x02\x01\x01").known);
	assert_false(FIND("\x08_S3_\x13\x04\x02\x01\x01").known); /* a package of variable length */
	assert_false(FIND("\x08_S3_\x11\x04\x02\x01\x01").known);
	assert_false(FIND("\x08_S3_\x12\x03\x01\x01").known); /* one element */
	assert_false(FIND("\x08_S3_\x12\x02\x00").known);
}

UNIT_TEST(values_that_are_no_types)
{
	assert_false(FIND("\x08_S3_\x12\x06\x02\x0a\x08\x0a\x01").known);
	assert_false(FIND("\x08_S3_\x12\x06\x02\x0a\x01\x0a\xff").known);
	assert_false(FIND("\x08_S3_\x12\x08\x02\x0b\x01\x01\x0a\x01").known);
	assert_false(FIND("\x08_S3_\x12\x0a\x02\x0c\x01\x00\x00\x80\x0a\x01").known);
	assert_false(FIND("\x08_S3_\x12\x04\x02\xff\xff").known);                 /* Ones */
	assert_false(FIND("\x08_S3_\x12\x06\x02\x0d\x31\x00\x01").known);         /* a string */
	assert_false(FIND("\x08_S3_\x12\x0a\x02\x0e\x01\x00\x00\x00\x00").known); /* 64 bits: nobody needs them */
}

/* At every distance from the parts in which the table is read. */
UNIT_TEST(places)
{
	static const char code[] = "\x08\\_S3_\x12\xc6\x00\x00\x00\x02\x0c\x06\x00\x00\x00\x0c\x02\x00\x00\x00";

	for (u32 at = HEADER; at < HEADER + 1100; at++) {
		assert_types(find(at, code, sizeof(code) - 1, at + sizeof(code) - 1), 6, 2);
		assert_types(find(at, code, sizeof(code) - 1, 0x1800), 6, 2);
	}
	assert_false(find(HEADER - 1, code, sizeof(code) - 1, 0x1000).known); /* half in the header */
}

/* Every shorter table lacks something; the byte behind its end is there, but not the table's. */
UNIT_TEST(cut_tables)
{
	static const char code[] = "\x08\\_S3_\x12\x46\x00\x02\x0b\x06\x00\x0a\x02";

	for (u32 length = 0; length < HEADER + sizeof(code) - 1; length++)
		assert_false(find(HEADER, code, sizeof(code) - 1, length).known);
	for (u32 length = 0; length < 600 + sizeof(code) - 1; length++)
		assert_false(find(600, code, sizeof(code) - 1, length).known);
}

UNIT_TEST(first_one_counts)
{
	static const char code[] = "\x08_S3_\x12\x04\x02\x07\x01" /* not a constant */
				   "\x08_S3_\x12\x06\x02\x0a\x03\x0a\x04"
				   "\x08_S3_\x12\x04\x02\x01\x01";
	struct sleep_types found = {.known = true, .a = 2, .b = 2};

	assert_types(FIND(code), 3, 4);
	sleep_find_s3(TABLE, SPACE, &found); /* of another table */
	assert_types(found, 2, 2);
}

UNIT_TEST(memory_that_is_not_there)
{
	struct sleep_types found = {0};

	sleep_find_s3(TABLE + SPACE, 0x1000, &found);
	assert_false(found.known);
	sleep_find_s3(TABLE + SPACE - 64, 0x1000, &found);
	assert_false(found.known);
	sleep_find_s3(~0ull - 100, 0x1000, &found);
	assert_false(found.known);
}

/* ---- which tables are looked at: what acpi_parse() makes of them ---- */

#define ROOT TABLE
#define FADT (TABLE + 0x400)
#define DSDT (TABLE + 0x800)
#define SSDT (TABLE + 0xc00)
#define SSDT2 (TABLE + 0x1000)

static void finish(u64 pa, const char *signature, u32 length)
{
	u8 sum = 0;

	physical_put(pa, signature, 4);
	physical_put32(pa + 4, length);
	*physical_at(pa + 9, 1) = 0;
	for (u32 i = 0; i < length; i++)
		sum = (u8)(sum + *physical_at(pa + i, 1));
	*physical_at(pa + 9, 1) = (u8)-sum;
}

static void put_s3(u64 pa, const char *signature, u8 type)
{
	u8 code[] = {0x08, '_', 'S', '3', '_', 0x12, 6, 2, 0x0a, type, 0x0a, type};

	physical_put(pa + HEADER, code, sizeof(code));
	finish(pa, signature, HEADER + sizeof(code));
}

static void put_fadt(u32 dsdt, u64 x_dsdt)
{
	physical_put32(FADT + 40, dsdt);
	physical_put64(FADT + 140, x_dsdt);
	finish(FADT, "FACP", 244);
}

/* An RSDT with two SSDTs around the FADT, and its RSDP. */
static int setup_machine(void **state)
{
	static const u32 entries[] = {SSDT, FADT, SSDT2};

	setup(state);
	physical_put(ROOT + HEADER, entries, sizeof(entries));
	finish(ROOT, "RSDT", HEADER + sizeof(entries));
	finish(SSDT, "SSDT", HEADER);
	finish(SSDT2, "SSDT", HEADER);
	put_fadt(0, 0);
	return 0;
}

static void assert_machine(unsigned type)
{
	static struct boot_info boot = {.rsdp = "RSD PTR ", .rsdp_size = 20};
	struct acpi_info acpi;
	u32 root = ROOT;
	u8 sum = 0;

	boot.rsdp[8] = 0;
	memcpy(boot.rsdp + 16, &root, sizeof(root));
	for (unsigned i = 0; i < 20; i++)
		sum = (u8)(sum + boot.rsdp[i]);
	boot.rsdp[8] = (u8)-sum;
	fake_log_start();
	assert_true(acpi_parse(&boot, 0, &acpi));
	assert_int_equal(acpi.s3.known, type != 0);
	assert_int_equal(acpi.s3.a, type);
	assert_int_equal(acpi.s3.b, type);
}

UNIT_TEST(dsdt)
{
	assert_machine(0);
	assert_true(fake_log_empty());
	put_s3(DSDT, "DSDT", 5);
	put_fadt(DSDT, 0);
	assert_machine(5);
	put_fadt(0xdead0000, DSDT); /* beats the old field */
	assert_machine(5);
	put_fadt(DSDT, 0xdead0000);
	assert_machine(0);
	assert_true(fake_log_has("no DSDT at 0xdead0000"));
	put_fadt(DSDT, 0);
	put_s3(DSDT, "DSDX", 5);
	assert_machine(0);
	put_s3(DSDT, "DSDT", 5);
	*physical_at(DSDT + 9, 1) += 1; /* used all the same */
	assert_machine(5);
	assert_true(fake_log_has("DSDT at 0x7fe0800 has a wrong checksum"));
}

UNIT_TEST(ssdts)
{
	put_s3(SSDT2, "SSDT", 3);
	assert_machine(3);
	put_s3(DSDT, "DSDT", 4);
	put_fadt(DSDT, 0);
	assert_machine(4); /* the first one counts */
	put_s3(SSDT, "SSDT", 2);
	assert_machine(2);
	*physical_at(SSDT + 9, 1) += 1;
	assert_machine(2);
	assert_true(fake_log_has("SSDT at 0x7fe0c00 has a wrong checksum"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(ways_to_write_it, setup),
		cmocka_unit_test_setup(other_things, setup),
		cmocka_unit_test_setup(values_that_are_no_types, setup),
		cmocka_unit_test_setup(places, setup),
		cmocka_unit_test_setup(cut_tables, setup),
		cmocka_unit_test_setup(first_one_counts, setup),
		cmocka_unit_test_setup(memory_that_is_not_there, setup),
		cmocka_unit_test_setup(dsdt, setup_machine),
		cmocka_unit_test_setup(ssdts, setup_machine),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
