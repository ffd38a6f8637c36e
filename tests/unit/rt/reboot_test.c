/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The runtime's warm reset: the firmware's register, wherever that is, then the chipset's, then the keyboard's. */
#include "fake_reset.h"

#include "rt/cpu.h"
#include "rt/hip.h"
#include "rt/map.h"
#include "rt/port.h"

#define TABLES 0x7fe0000 /* where firmware has them: the root table, and the FADT behind it */
#define FADT_OFFSET 0x200
#define REGISTER 0xfed40000 /* in memory */

static union {
	struct hip hip;
	char page[4096];
} information;
static uint8_t tables[0x400], reg[16];
static uint16_t refused; /* a port that the hypervisor keeps */

#define rt_out8 fake_reset_out8
#define rt_out32 fake_reset_out32
#define rt_in8 fake_reset_in8
#define rt_rdtsc fake_reset_tsc
#include "rt/reboot.c"

/* The rest of the runtime, as far as it is needed here. */
const struct hip *rt_hip = &information.hip;
enum status rt_ports(uint16_t base, RT_UNUSED unsigned order)
{
	return base == refused ? BAD_PAR : SUCCESS;
}
void *rt_map(uint64_t pa, size_t size, unsigned rights)
{
	if (pa >= TABLES && pa + size <= TABLES + sizeof(tables))
		return tables + (pa - TABLES);
	if (pa < REGISTER || pa + size > REGISTER + sizeof(reg))
		return NULL;
	assert_int_equal(rights, PERM_MEM_R | PERM_MEM_W);
	return reg + (pa - REGISTER);
}

static void put32(unsigned at, uint32_t v)
{
	memcpy(tables + at, &v, sizeof(v));
}
static void put64(unsigned at, uint64_t v)
{
	memcpy(tables + at, &v, sizeof(v));
}

static void header(unsigned at, const char *signature, uint32_t length)
{
	memcpy(tables + at, signature, 4);
	put32(at + 4, length);
}

/* Manual: ACPI Specification 6.5, 5.2.9: flags at 112, RESET_REG at 116, RESET_VALUE at 128. */
static void firmware_says(uint8_t space, uint64_t addr, uint8_t value)
{
	put32(FADT_OFFSET + 112, 1u << 10);
	tables[FADT_OFFSET + 116] = space;
	tables[FADT_OFFSET + 117] = 8;
	put64(FADT_OFFSET + 120, addr);
	tables[FADT_OFFSET + 128] = value;
}

UNIT_FIXTURE(setup)
{
	memset(&fake_machine, 0, sizeof(fake_machine));
	memset(tables, 0, sizeof(tables));
	memset(reg, 0, sizeof(reg));
	refused = 0;
	information.hip.xsdt_rsdt = TABLES;
	header(0, "XSDT", 36 + 2 * 8);
	put64(36, TABLES + 0x100);
	put64(44, TABLES + FADT_OFFSET);
	header(0x100, "APIC", 44);
	header(FADT_OFFSET, "FACP", 276);
	return 0;
}

#define NOTHING_HELPS(wanted)                                     \
	do {                                                      \
		assert_false(fake_reset_by(NULL, rt_reboot));     \
		assert_string_equal(fake_machine.text, (wanted)); \
	} while (0)
#define RESET_BY(write, wanted)                                   \
	do {                                                      \
		assert_true(fake_reset_by((write), rt_reboot));   \
		assert_string_equal(fake_machine.text, (wanted)); \
	} while (0)

UNIT_TEST(register_in_ports)
{
	firmware_says(SPACE_IO, 0xb2, 0x5a);
	RESET_BY("00b2=5a", "00b2=5a");
	NOTHING_HELPS("00b2=5a 0cf9=02 0cf9=06 0064=fe");
}

/* Device 31, function 3, register 0x62 of bus 0. */
UNIT_TEST(register_in_pci)
{
	firmware_says(SPACE_PCI, 31ull << 32 | 3 << 16 | 0x62, 0x5a);
	RESET_BY("pci(8000fb62)=5a", "pci(8000fb62)=5a");
	NOTHING_HELPS("pci(8000fb62)=5a 0cf9=02 0cf9=06 0064=fe");
}

UNIT_TEST(register_in_memory)
{
	firmware_says(SPACE_MEMORY, REGISTER + 5, 0x5a);
	NOTHING_HELPS("0cf9=02 0cf9=06 0064=fe");
	assert_int_equal(reg[5], 0x5a);
	reg[5] = 0;
	for (unsigned i = 0; i < sizeof(reg); i++)
		assert_int_equal(reg[i], 0);
}

UNIT_TEST(register_out_of_reach)
{
	firmware_says(SPACE_MEMORY, REGISTER + sizeof(reg), 0x5a);
	NOTHING_HELPS("0cf9=02 0cf9=06 0064=fe");
	firmware_says(3, 0xb2, 0x5a); /* an embedded controller: not in the list of the specification */
	NOTHING_HELPS("0cf9=02 0cf9=06 0064=fe");
}

/* The chipset's register wants the kind of the reset first, then the edge. */
UNIT_TEST(chipset)
{
	RESET_BY("0cf9=06", "0cf9=02 0cf9=06");
}

UNIT_TEST(keyboard_controller)
{
	RESET_BY("0064=fe", "0cf9=02 0cf9=06 0064=fe");
	fake_machine.busy = 0x02; /* for ever, or nobody is there */
	RESET_BY("0064=fe", "0cf9=02 0cf9=06 0064=fe");
}

UNIT_TEST(ports_that_are_refused)
{
	firmware_says(SPACE_IO, 0xb2, 0x5a);
	refused = 0xb2;
	RESET_BY("0cf9=06", "0cf9=02 0cf9=06");
	refused = RESET_CONTROL;
	RESET_BY("0064=fe", "00b2=5a 0064=fe");
	refused = KEYBOARD;
	NOTHING_HELPS("00b2=5a 0cf9=02 0cf9=06");
	firmware_says(SPACE_PCI, 31ull << 32, 0x5a);
	refused = PCI_ADDRESS;
	RESET_BY("0cf9=06", "0cf9=02 0cf9=06");
}

/* Old firmware has a root table of 32-bit addresses. */
UNIT_TEST(short_addresses)
{
	header(0, "RSDT", 36 + 2 * 4);
	put32(36, TABLES + 0x100);
	put32(40, TABLES + FADT_OFFSET);
	firmware_says(SPACE_IO, 0xb2, 0x5a);
	RESET_BY("00b2=5a", "00b2=5a");
}

UNIT_TEST(tables_that_say_nothing)
{
	firmware_says(SPACE_IO, 0xb2, 0x5a);
	put32(FADT_OFFSET + 112, 0); /* the register is not there */
	RESET_BY("0cf9=06", "0cf9=02 0cf9=06");
	firmware_says(SPACE_IO, 0xb2, 0x5a);
	header(FADT_OFFSET, "FACP", 116); /* of ACPI 1.0 */
	RESET_BY("0cf9=06", "0cf9=02 0cf9=06");
	header(FADT_OFFSET, "FACP", 0xffffffff);
	RESET_BY("0cf9=06", "0cf9=02 0cf9=06");
	header(FADT_OFFSET, "SSDT", 276);
	RESET_BY("0cf9=06", "0cf9=02 0cf9=06");
	put64(44, 0x123456789); /* where nothing is */
	RESET_BY("0cf9=06", "0cf9=02 0cf9=06");
	information.hip.xsdt_rsdt = 0;
	RESET_BY("0cf9=06", "0cf9=02 0cf9=06");
}

int main(void)
{
#define T(name) cmocka_unit_test_setup(name, setup)
	const struct CMUnitTest tests[] = {T(register_in_ports),      T(register_in_pci), T(register_in_memory),
					   T(register_out_of_reach),  T(chipset),         T(keyboard_controller),
					   T(ports_that_are_refused), T(short_addresses), T(tables_that_say_nothing)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
