/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which of a machine's serial lines is taken. A machine boots once: so each test is a machine in a process of its
 * own.
 */
#include "fake_uart.h"

#include <sys/wait.h>
#include <unistd.h>

#include "fake_log.h"
#include "fake_pci.h"
#include "physical.h"
#include "platform/serial.h"

enum { BAR = 4 };
#define REGISTERS 0xfe034000
#define FAR 0x9000000000

static struct boot_info boot;
static struct acpi_info acpi;
static bool low_only; /* nothing above 4 GiB can be mapped yet */

static u64 map_low(u64 pa)
{
	return low_only && pa >> 32 ? 0 : fake_map(pa);
}

static struct serial_found found(u64 base, bool memory)
{
	return (struct serial_found){.line = {.base = base,
					      .memory = memory,
					      .stride = 1,
					      .baud = 9600,
					      .clock = UART_CLOCK,
					      .lcr = UART_8N1},
				     .pci = SERIAL_NO_PCI};
}

/* A machine without any line; memory up to 2 GiB. */
static void machine(void)
{
	physical_reset();
	physical_add(0, PAGE_SIZE);
	fake_uart_start();
	fake_pci_start();
	host_on_map = map_low;
	fake_log_start();
	low_only = true;
	acpi.spcr.pci = acpi.dbg2.pci = SERIAL_NO_PCI;
	boot.map_count = 1;
	boot.map[0] = (struct boot_map){.addr = 0, .size = 2 * GiB, .type = HIP_MEM_RAM};
}

static void bios_names(u16 a, u16 b)
{
	const u16 ports[4] = {a, b};

	physical_put(0x400, ports, sizeof(ports));
}

/* A card that answers at ports or in memory, for which a UART is added. */
static void add_card(u32 function, u64 base, bool memory)
{
	fake_pci_add(function, 0x0700)[BAR] = (u32)base | !memory;
	fake_uart_add(base, memory, 1);
}

/* Boots with this value of the word. */
static void boot_with(const char *word)
{
	struct serial_word w;

	assert_true(serial_word_parse(word, strlen(word), &w));
	serial_start(&w, &boot);
	serial_find(&acpi);
	low_only = false;
	serial_settle();
}

/* It went to that line, its kind is named, and the HIP tells of it. */
static void assert_line(u64 base, u8 space, const char *by)
{
	struct hip_gas place;

	assert_true(serial_place(&place));
	assert_int_equal(place.addr, base);
	assert_int_equal(place.space, space);
	assert_true(fake_log_has(by));
	log_info("a message");
	for (unsigned i = 0; i < fake_uart_count; i++)
		assert_int_equal(!!strstr(fake_uart[i].sent, "a message"), fake_uart[i].base == base);
}

static void assert_none(void)
{
	struct hip_gas place;

	assert_false(serial_place(&place));
	serial_restore();
}

/* ---- the order ---- */

/* Everything that a machine can have; the first `without` of them are missing. */
static void rich_machine(unsigned without)
{
	acpi.spcr = found(0x3e8, false);
	acpi.dbg2 = found(REGISTERS, true);
	bios_names(0x2e8, 0x2f8);
	add_card(fake_pci_function(3, 0, 0), 0xe000, false);
	fake_uart_add(REGISTERS, true, 1);
	fake_uart_add(0x3f8, false, 1);
	if (without < 1)
		fake_uart_add(0x3e8, false, 1);
	else if (without < 3)
		fake_uart_add(0x2f8, false, 1);
	if (without >= 2)
		fake_uart[1].base = 0x77770000;
	if (without >= 4)
		fake_uart[0].base = 0xa000;
	if (without >= 5)
		fake_uart[2].base = 0xa008;
}

static void first_spcr(void)
{
	rich_machine(0);
	boot_with("auto");
	assert_line(0x3e8, HIP_GAS_PORTS, "(SPCR), 9600 baud");
}

static void then_dbg2(void)
{
	rich_machine(1);
	boot_with("auto");
	assert_line(REGISTERS, HIP_GAS_MEMORY, "(DBG2)");
}

static void then_bios(void)
{
	rich_machine(2);
	boot_with("auto");
	assert_line(0x2f8, HIP_GAS_PORTS, "(BIOS), 115200 baud");
}

static void not_the_bios_of_uefi(void)
{
	boot.efi = true;
	rich_machine(2);
	boot_with("auto");
	assert_line(0xe000, HIP_GAS_PORTS, "(PCI)");
}

static void then_cards(void)
{
	rich_machine(3);
	boot_with("auto");
	assert_line(0xe000, HIP_GAS_PORTS, "(PCI)");
	assert_int_equal(fake_pci[0].reg[1], 1); /* it answers at its ports */
}

static void then_com1(void)
{
	rich_machine(4);
	boot_with("auto");
	assert_line(0x3f8, HIP_GAS_PORTS, "(COM1)");
	assert_int_equal(fake_pci[0].reg[1], 0); /* the card where nothing was is as before */
}

static void then_none(void)
{
	rich_machine(5);
	boot_with("auto");
	assert_none();
	assert_true(fake_log_has("warning: serial: this machine has no serial line"));
}

/* ---- what is named ---- */

static void named_port(void)
{
	rich_machine(0);
	boot_with("com1,19200e7");
	assert_line(0x3f8, HIP_GAS_PORTS, "(command line), 19200 baud");
	assert_int_equal(fake_uart[2].dll, 6);
	assert_int_equal(fake_uart[2].lcr, 0x1a);
}

/* It is there before anything is known of the machine. */
static void named_is_early(void)
{
	struct serial_word w;

	fake_uart_add(REGISTERS, true, 4);
	assert_true(serial_word_parse("mmio:0xfe034000,stride=4", 24, &w));
	log_info("the first message");
	serial_start(&w, &boot);
	assert_non_null(strstr(fake_uart[0].sent, "the first message"));
}

static void named_card(void)
{
	rich_machine(0);
	fake_pci_add(fake_pci_function(0, 22, 3), 0x1180)[BAR] = 0xfe0a0000; /* of another class */
	const struct fake_uart *u = fake_uart_add(0xfe0a0000, true, 2);
	boot_with("pci:00:16.3,stride=2,clock=48000000,115200");
	assert_line(0xfe0a0000, HIP_GAS_MEMORY, "(command line)");
	assert_int_equal(u->dll, 26);
	assert_int_equal(fake_pci[1].reg[1], 2);
}

static void named_wrongly(void)
{
	fake_uart_add(0x2f8, false, 1);
	bios_names(0, 0x2f8);
	boot_with("com4");
	assert_true(fake_log_has("warning: serial: no UART at 0x2e8, looking for another line"));
	assert_line(0x2f8, HIP_GAS_PORTS, "(BIOS)");
}

static void named_card_is_missing(void)
{
	boot_with("pci:00:16.3");
	assert_true(fake_log_has("warning: serial: no UART on PCI 00:16.3"));
	assert_none();
}

static void not_in_ram(void)
{
	fake_uart_add(0x7000000, true, 1); /* or something that looks like one */
	boot_with("mmio:0x7000000");
	assert_none();
	assert_int_equal(fake_uart[0].ier, 0x0f); /* nobody has touched it */
}

static void no_word(void)
{
	const struct serial_word w = {.place = SERIAL_NONE};

	rich_machine(0);
	serial_start(&w, &boot);
	serial_find(&acpi);
	serial_settle();
	assert_none();
	assert_true(fake_log_empty());
}

/* The word's speed counts for whatever is found. */
static void speed_of_a_found_line(void)
{
	fake_uart_add(REGISTERS, true, 1);
	acpi.spcr = found(REGISTERS, true);
	acpi.spcr.line.baud = acpi.spcr.line.clock = 0;
	boot_with("auto,9600");
	assert_line(REGISTERS, HIP_GAS_MEMORY, "9600 baud");
	assert_int_equal(fake_uart[0].dll, 12);
}

static void speed_as_found(void)
{
	fake_uart_add(REGISTERS, true, 1);
	acpi.spcr = found(REGISTERS, true);
	acpi.spcr.line.baud = acpi.spcr.line.clock = 0;
	boot_with("auto");
	assert_line(REGISTERS, HIP_GAS_MEMORY, "speed as it was");
	assert_int_equal(fake_uart[0].dll, 26);
}

/* ---- far away, and after sleep ---- */

static void far_waits(void)
{
	struct serial_word w;

	fake_uart_add(FAR, true, 1);
	fake_uart_add(0x3f8, false, 1);
	acpi.spcr = found(FAR, true);
	assert_true(serial_word_parse("auto", 4, &w));
	serial_start(&w, &boot);
	serial_find(&acpi);
	assert_none(); /* COM1 would be wrong */
	log_info("kept");
	low_only = false;
	serial_settle();
	assert_line(FAR, HIP_GAS_MEMORY, "(SPCR)");
	assert_non_null(strstr(fake_uart[0].sent, "kept"));
}

static void far_is_nothing(void)
{
	fake_uart_add(0x3f8, false, 1);
	boot_with("mmio:0x9000000000");
	assert_true(fake_log_has("no UART at 0x9000000000"));
	assert_line(0x3f8, HIP_GAS_PORTS, "(COM1)");
}

/* The processor has 46 bits of physical addresses. */
static void too_far(void)
{
	fake_uart_add(1ull << 46, true, 1);
	fake_uart_add(0x3f8, false, 1);
	boot_with("mmio:0x400000000000");
	assert_true(fake_log_has("no UART at 0x400000000000"));
	assert_line(0x3f8, HIP_GAS_PORTS, "(COM1)");
}

static void sleeps(void)
{
	struct fake_uart fresh;

	add_card(fake_pci_function(0, 3, 0), 0xc000, false);
	boot_with("auto");
	fresh = fake_uart[0];
	fake_uart[0].dll = fake_uart[0].lcr = fake_uart[0].fifo_on = 0;
	memset(fake_pci[0].reg + 4, 0, 24);
	fake_pci[0].reg[1] = 0;
	serial_restore();
	assert_int_equal(fake_pci[0].reg[BAR], 0xc001);
	assert_int_equal(fake_pci[0].reg[1], 1);
	assert_int_equal(fake_uart[0].dll, fresh.dll);
	assert_int_equal(fake_uart[0].lcr, fresh.lcr);
	assert_true(fake_uart[0].fifo_on);
}

static const struct scenario {
	const char *name;
	void (*run)(void);
} scenarios[] = {
#define SCENARIO(name)      \
	{                   \
#name, name \
	}
	SCENARIO(first_spcr),
	SCENARIO(then_dbg2),
	SCENARIO(then_bios),
	SCENARIO(not_the_bios_of_uefi),
	SCENARIO(then_cards),
	SCENARIO(then_com1),
	SCENARIO(then_none),
	SCENARIO(named_port),
	SCENARIO(named_is_early),
	SCENARIO(named_card),
	SCENARIO(named_wrongly),
	SCENARIO(named_card_is_missing),
	SCENARIO(not_in_ram),
	SCENARIO(no_word),
	SCENARIO(speed_of_a_found_line),
	SCENARIO(speed_as_found),
	SCENARIO(far_waits),
	SCENARIO(far_is_nothing),
	SCENARIO(too_far),
	SCENARIO(sleeps),
};

static void run_scenario(void **state)
{
	machine();
	((const struct scenario *)*state)->run();
}

/* Boots the machine in a process of its own. */
static bool passes(const struct scenario *s)
{
	int status;
	pid_t child = fork();

	if (!child) {
		const struct CMUnitTest test[] = {{s->name, run_scenario, NULL, NULL, (void *)s}};
		_exit(cmocka_run_group_tests(test, NULL, NULL));
	}
	return child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) && !WEXITSTATUS(status);
}

int main(void)
{
	int failures = 0;

	for (unsigned i = 0; i < array_size(scenarios); i++)
		failures += !passes(&scenarios[i]);
	return failures;
}
