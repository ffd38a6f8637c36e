/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Follows the tables as an operating system does. */
#include "unit.h"

#include "vmm/acpi.h"
#include "vmm/acpi_tables.h"
#include "vmm/machine.h"

enum { PROCESSORS = 3 };

static uint8_t tables[ACPI_TABLES_SIZE] __attribute__((aligned(4096)));

UNIT_FIXTURE(setup)
{
	memset(tables, 0xee, sizeof(tables));
	acpi_tables_write(tables, PROCESSORS);
	return 0;
}

static uint64_t get(const uint8_t *from, unsigned size)
{
	uint64_t value = 0;

	memcpy(&value, from, size);
	return value;
}

static uint8_t sum(const uint8_t *from, uint64_t size)
{
	uint8_t s = 0;

	while (size--)
		s += *from++;
	return s;
}

static const uint8_t *at(uint64_t address)
{
	assert_in_range(address, ACPI_TABLES_AT, ACPI_TABLES_AT + ACPI_TABLES_SIZE - 1);
	return tables + (address - ACPI_TABLES_AT);
}

static const uint8_t *table(uint64_t address, const char *signature)
{
	const uint8_t *t = at(address);
	uint64_t length = get(t + 4, 4);

	assert_memory_equal(t, signature, 4);
	assert_in_range(length, 36, tables + sizeof(tables) - t);
	assert_int_equal(sum(t, length), 0);
	return t;
}

static const uint8_t *listed(unsigned number, const char *signature)
{
	const uint8_t *xsdt = table(get(tables + 24, 8), "XSDT");

	assert_int_equal(get(xsdt + 4, 4), 36 + 2 * 8);
	return table(get(xsdt + 36 + 8 * number, 8), signature);
}

UNIT_TEST(test_pointer)
{
	assert_memory_equal(tables, "RSD PTR ", 8);
	assert_int_equal(sum(tables, 20), 0);
	assert_int_equal(sum(tables, 36), 0);
}

UNIT_TEST(test_fadt)
{
	const uint8_t *f = listed(0, "FACP"), *facs = at(get(f + 36, 4));

	assert_int_equal(get(f + 46, 2), MACHINE_IRQ_ACPI);
	assert_int_equal(get(f + 56, 4), ACPI_PORT);
	assert_int_equal(get(f + 64, 4), ACPI_PORT + ACPI_CONTROL);
	assert_int_equal(get(f + 76, 4), ACPI_PORT + ACPI_TIMER);
	assert_true(get(f + 112, 4) >> 10 & 1);
	assert_int_equal(get(f + 120, 8), 0x64);
	assert_int_equal(f[128], 0xfe);
	assert_int_equal(get(f + 40, 4), get(f + 140, 8));
	assert_memory_equal(facs, "FACS", 4);
	assert_int_equal((facs - tables) % 64, 0);
}

/* Where `text` begins in the table. */
static const uint8_t *find(const uint8_t *t, const char *text)
{
	uint64_t length = get(t + 4, 4);

	for (uint64_t n = 36; n + strlen(text) <= length; n++)
		if (!memcmp(t + n, text, strlen(text)))
			return t + n;
	fail();
	return NULL;
}

/* Lengths of packages are right where the next thing follows, and at the end. ACPI 6.4, 20.2. */
UNIT_TEST(test_dsdt)
{
	const uint8_t *d = table(get(listed(0, "FACP") + 40, 4), "DSDT"), *end = d + get(d + 4, 4);
	const uint8_t *device = find(d, "\x5b\x82") + 2, *s5 = find(d, "_S5_"), *crs = find(d, "_CRS"),
		      *prt = find(d, "_PRT");

	assert_ptr_equal(s5 + 5 + s5[5], device - 2);
	assert_int_equal(s5[8], ACPI_OFF);
	assert_ptr_equal(device + (device[0] & 15) + (device[1] << 4), end);
	assert_ptr_equal(crs + 5 + crs[5], prt - 1);
	assert_int_equal(crs[7] + 8, crs[5] + 5);
	assert_ptr_equal(prt + 5 + (prt[5] & 15) + (prt[6] << 4), end);
	assert_int_equal(prt[7], PCI_DEVICES - 1);
	for (unsigned n = 1; n < PCI_DEVICES; n++) {
		const uint8_t *pin = prt + 8 + 12 * (n - 1);

		assert_int_equal(pin[0], 0x12);
		assert_int_equal(get(pin + 4, 4), n << 16 | 0xffff);
		assert_int_equal(pin[11], pci_line(n));
		assert_true(PCI_LINES >> pin[11] & 1);
	}
}

UNIT_TEST(test_madt)
{
	const uint8_t *m = listed(1, "APIC"), *end = m + get(m + 4, 4);
	unsigned count[3] = {0};

	assert_int_equal(get(m + 36, 4), LAPIC_AT);
	for (m += 44; m < end; m += m[1]) {
		assert_in_range(m[0], 0, 2);
		assert_int_equal(m[1], m[0] == 0 ? 8 : m[0] == 1 ? 12 : 10);
		if (m[0] == 1)
			assert_int_equal(get(m + 4, 4), IOAPIC_AT);
		if (m[0] == 0)
			assert_true(m[2] == count[0] && m[3] == count[0] && get(m + 4, 4) == 1);
		count[m[0]]++;
	}
	assert_ptr_equal(m, end);
	assert_int_equal(count[0], PROCESSORS);
	assert_int_equal(count[1], 1);
	assert_int_equal(count[2], 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_pointer, setup),
		cmocka_unit_test_setup(test_fadt, setup),
		cmocka_unit_test_setup(test_dsdt, setup),
		cmocka_unit_test_setup(test_madt, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
