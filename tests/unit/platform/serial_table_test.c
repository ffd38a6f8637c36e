/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPCR and DBG2 of all kinds of firmware, also damaged ones; acpi.c has looked at their checksums and found them. */
#include "acpi_fixture.h"

#define SPCR (TABLES + 0x8000)
#define DBG2 (TABLES + 0x9000)

static u32 spcr_length;

/* Puts both tables among the others. */
static void finish_tables(u32 dbg2_length)
{
	static const u64 tables[] = {MADT, SPCR, DBG2};

	finish(SPCR, "SPCR", spcr_length);
	finish(DBG2, "DBG2", dbg2_length);
	put_root(XSDT, "XSDT", tables, array_size(tables));
}

static void put_address(u64 pa, u8 space, u8 bits, u8 access, u64 address)
{
	const u8 head[] = {space, bits, 0, access};

	physical_put(pa, head, sizeof(head));
	physical_put64(pa + 4, address);
}

/* A UART at COM2 without PCI, 115200 baud. */
static void put_spcr(u8 revision)
{
	static const u8 none[4] = {0xff, 0xff, 0xff, 0xff};

	spcr_length = revision >= 4 ? 90 : 80;
	memset(physical_at(SPCR, 128), 0, 128);
	*physical_at(SPCR + 8, 1) = revision;
	put_address(SPCR + 40, 1, 8, 1, 0x2f8);
	*physical_at(SPCR + 58, 1) = 7;
	*physical_at(SPCR + 60, 1) = 1;
	physical_put(SPCR + 64, none, sizeof(none));
}

static const struct uart_line *spcr(void)
{
	finish_tables(44);
	parse();
	return &acpi.spcr.line;
}

UNIT_TEST(test_none)
{
	parse();
	assert_int_equal(acpi.spcr.line.base, 0);
	assert_int_equal(acpi.dbg2.line.base, 0);
}

UNIT_TEST(test_ports)
{
	put_spcr(2);
	assert_int_equal(spcr()->base, 0x2f8);
	assert_int_equal(spcr()->memory, false);
	assert_int_equal(spcr()->stride, 1);
	assert_int_equal(spcr()->baud, 115200);
	assert_int_equal(spcr()->clock, UART_CLOCK);
	assert_int_equal(acpi.spcr.pci, SERIAL_NO_PCI);
	assert_true(fake_log_empty());
}

UNIT_TEST(test_speeds)
{
	static const struct {
		u8 revision, code;
		u32 clock, precise, baud;
	} speeds[] = {
		{1, 3, 0, 0, 9600},        {1, 4, 0, 0, 19200},
		{1, 6, 0, 0, 57600},       {1, 7, 0, 0, 115200},
		{1, 0, 0, 0, 0},           {1, 5, 0, 0, 0},
		{1, 200, 0, 0, 0},         {2, 7, 1000, 1000, 115200},
		{4, 7, 0, 921600, 921600}, {4, 7, 48000000, 0, 115200},
	};

	for (unsigned i = 0; i < array_size(speeds); i++) {
		put_spcr(speeds[i].revision);
		*physical_at(SPCR + 58, 1) = speeds[i].code;
		physical_put32(SPCR + 76, speeds[i].clock);
		physical_put32(SPCR + 80, speeds[i].precise);
		assert_int_equal(spcr()->baud, speeds[i].baud);
		assert_int_equal(spcr()->clock,
				 speeds[i].revision >= 3 && speeds[i].clock ? speeds[i].clock : UART_CLOCK);
	}
}

/* How wide registers are is told by the size of an access, and before there was such by the register's width. */
UNIT_TEST(test_memory)
{
	static const struct {
		u8 bits, access, stride;
	} widths[] = {{8, 1, 1},  {32, 3, 4}, {8, 3, 4}, {16, 2, 2}, {32, 0, 4},
		      {16, 0, 2}, {8, 0, 1},  {0, 0, 1}, {32, 1, 1}, {64, 4, 1}};

	for (unsigned i = 0; i < array_size(widths); i++) {
		put_spcr(2);
		*physical_at(SPCR + 36, 1) = 0x12;
		put_address(SPCR + 40, 0, widths[i].bits, widths[i].access, 0xfe034000);
		assert_int_equal(spcr()->base, 0xfe034000);
		assert_true(spcr()->memory);
		assert_int_equal(spcr()->stride, widths[i].stride);
		assert_int_equal(spcr()->baud, 0); /* its clock is not known */
	}
	put_spcr(4);
	put_address(SPCR + 40, 0, 32, 3, 0x9012345000);
	physical_put32(SPCR + 76, 48000000);
	assert_int_equal(spcr()->base, 0x9012345000);
	assert_int_equal(spcr()->baud, 115200);
	assert_int_equal(spcr()->clock, 48000000);
}

UNIT_TEST(test_pci)
{
	static const u8 place[] = {0x34, 0x12, 0x86, 0x80, 0x03, 0x16, 0x02, 0, 0, 0, 0, 0};

	put_spcr(2);
	physical_put(SPCR + 64, place, sizeof(place));
	spcr();
	assert_int_equal(acpi.spcr.pci, 0x03 << 8 | 0x16 << 3 | 2);
	static const u8 bad[][3] = {
		{69, 32, 0}, {70, 8, 0}, {75, 1, 0}}; /* no such device, function; another segment */
	for (unsigned i = 0; i < array_size(bad); i++) {
		put_spcr(2);
		physical_put(SPCR + 64, place, sizeof(place));
		*physical_at(SPCR + bad[i][0], 1) = bad[i][1];
		spcr();
		assert_int_equal(acpi.spcr.pci, SERIAL_NO_PCI);
	}
}

UNIT_TEST(test_spcr_without_uart)
{
	put_spcr(2);
	*physical_at(SPCR + 36, 1) = 3; /* an ARM's */
	assert_int_equal(spcr()->base, 0);
	put_spcr(2);
	put_address(SPCR + 40, 1, 8, 1, 0); /* redirection is switched off */
	assert_int_equal(spcr()->base, 0);
	put_spcr(2);
	put_address(SPCR + 40, 2, 8, 1, 0x2f8); /* in configuration space */
	assert_int_equal(spcr()->base, 0);
	put_spcr(2);
	put_address(SPCR + 40, 1, 8, 1, 0x12f8f8);
	assert_int_equal(spcr()->base, 0);
	put_spcr(2);
	spcr_length = 79;
	assert_int_equal(spcr()->base, 0);
	spcr_length = 36;
	assert_int_equal(spcr()->base, 0);
}

UNIT_TEST(test_damaged)
{
	put_spcr(2);
	finish_tables(44);
	++*physical_at(SPCR + 47, 1);
	parse();
	assert_int_equal(acpi.spcr.line.base, 0);
	assert_true(fake_log_has("SPCR"));
	physical_put32(SPCR + 4, 0xffffffff);
	parse();
	assert_int_equal(acpi.spcr.line.base, 0);
}

/* ---- DBG2 ---- */

/* A port described at `at`, with one address right behind; returns where the next one goes. */
static u32 put_port(u32 at, u16 type, u16 subtype, u8 space, u64 address)
{
	const u16 length = 22 + 12, where[2] = {22, 0};

	memset(physical_at(DBG2 + at, length), 0, length);
	physical_put(DBG2 + at + 1, &length, 2);
	*physical_at(DBG2 + at + 3, 1) = 1;
	physical_put(DBG2 + at + 12, &type, 2);
	physical_put(DBG2 + at + 14, &subtype, 2);
	physical_put(DBG2 + at + 18, where, 4);
	put_address(DBG2 + at + 22, space, 8, 1, address);
	return at + length;
}

static const struct uart_line *dbg2(u32 offset, u32 count, u32 length)
{
	physical_put32(DBG2 + 36, offset);
	physical_put32(DBG2 + 40, count);
	spcr_length = 36;
	finish_tables(length);
	parse();
	return &acpi.dbg2.line;
}

UNIT_TEST(test_dbg2)
{
	u32 end = put_port(44, 0x8000, 0, 1, 0x2f8);

	assert_int_equal(dbg2(44, 1, end)->base, 0x2f8);
	assert_int_equal(acpi.dbg2.line.baud, 115200);
	assert_int_equal(acpi.dbg2.line.clock, UART_CLOCK);
	assert_int_equal(acpi.dbg2.pci, SERIAL_NO_PCI);

	end = put_port(44, 0x8002, 0, 0, 0xfe000000);  /* USB */
	end = put_port(end, 0x8000, 3, 0, 0xfe000000); /* an ARM's */
	end = put_port(end, 0x8000, 0x12, 0, 0xfe034000);
	end = put_port(end, 0x8000, 0, 1, 0x3f8); /* the first one counts */
	assert_int_equal(dbg2(44, 4, end)->base, 0xfe034000);
	assert_true(acpi.dbg2.line.memory);
	assert_int_equal(acpi.dbg2.line.baud, 0);
	assert_int_equal(dbg2(44, 2, end)->base, 0);
	assert_int_equal(dbg2(44, 0xffffffff, end)->base, 0xfe034000);
}

UNIT_TEST(test_dbg2_damaged)
{
	u32 end = put_port(44, 0x8000, 0, 1, 0x2f8);
	static const u16 lengths[] = {0, 21};

	assert_int_equal(dbg2(44, 1, 43)->base, 0);
	assert_int_equal(dbg2(44, 1, 44)->base, 0);
	assert_int_equal(dbg2(44, 1, 65)->base, 0);
	assert_int_equal(dbg2(44, 1, end - 1)->base, 0); /* its address ends behind the table */
	assert_int_equal(dbg2(0xffffffff, 1, end)->base, 0);
	assert_int_equal(dbg2(44, 0, end)->base, 0);
	for (unsigned i = 0; i < array_size(lengths); i++) {
		physical_put(DBG2 + 44 + 1, &lengths[i], 2);
		assert_int_equal(dbg2(44, 0xffffffff, end)->base, 0);
	}
	put_port(44, 0x8000, 0, 1, 0x2f8);
	*physical_at(DBG2 + 44 + 3, 1) = 0; /* no address */
	assert_int_equal(dbg2(44, 1, end)->base, 0);
	put_port(44, 0x8000, 0, 1, 0x2f8);
	static const u16 far = 0xffff;
	physical_put(DBG2 + 44 + 18, &far, 2);
	assert_int_equal(dbg2(44, 1, end)->base, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(none),    TEST(ports), TEST(speeds),       TEST(memory), TEST(pci), TEST(spcr_without_uart),
		TEST(damaged), TEST(dbg2),  TEST(dbg2_damaged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
