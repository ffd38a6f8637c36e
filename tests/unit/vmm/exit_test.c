/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Exits of a guest with a few pages of memory: what they change, and what the next run injects. */
#include "unit.h"

#include "vmm/exit.h"

#include <stdlib.h>

enum { PF = 14, GP = 13, CODE_AT = 0x1000, DATA_AT = 0x2000, RAM = 0x10000, NOWHERE = 0x100000 };
enum { ACCESS = 0x180, READS = 1, FETCHES = 4, PORT_IN = 1 << 3, PORT_STRING = 1 << 4 };
#define PG (1ul << 31)
#define EXCEPTION(n) (VMX_EVENT_VALID | VMX_EVENT_EXCEPTION | (n))

static uint8_t ram[RAM] __attribute__((aligned(4096)));
static struct utcb_state page, other_page;
static struct guest_vm vm;
static struct guest_cpu *const cpu = &vm.cpu[0];

/* ---- In place of vm.c ---- */

static uint64_t now;

uint64_t vm_now(const struct guest_vm *v)
{
	(void)v;
	return now += 1000;
}

/* Meanwhile something happens. */
static void (*meanwhile)(void);

void vm_rest(struct guest_cpu *c)
{
	assert_ptr_equal(c, cpu);
	if (meanwhile)
		meanwhile();
}

void vm_console_flush(struct guest_vm *v)
{
	(void)v;
}

void vm_fail(struct guest_cpu *c, const char *what)
{
	(void)what;
	c->vm->end = VM_FAULT;
}

/* ---- */

static void drop(void *arg, uint8_t byte)
{
	(void)arg;
	(void)byte;
}

/* Flat 32-bit code without paging. */
UNIT_FIXTURE(setup)
{
	memset(ram, 0, sizeof(ram));
	page = (struct utcb_state){.rip = CODE_AT, .rflags = 2, .cr0 = 0x31};
	page.cs.ar = VMX_AR_CODE32;
	vm = (struct guest_vm){.ram = ram, .ram_size = RAM};
	vm.machine.uart.send = drop;
	machine_reset(&vm.machine, 2, 0, 1000000000);
	for (unsigned n = 0; n < 2; n++)
		vm.cpu[n] = (struct guest_cpu){.vm = &vm,
					       .lapic = &vm.machine.lapic[n],
					       .number = n,
					       .s = n ? &other_page : &page,
					       .has_whole = true,
					       .cr4_allowed = 0x370fff,
					       .cpuid.tsc_khz = 2000000};
	meanwhile = NULL;
	return 0;
}

static void code(const char *bytes, size_t count)
{
	memcpy(ram + CODE_AT, bytes, count);
}

static void leave(uint32_t reason, uint64_t qualification, unsigned length)
{
	page.exit_reason = reason;
	page.qual[0] = qualification;
	page.inst_len = length;
	exit_handle(cpu);
}

UNIT_TEST(test_nowhere)
{
	code("\x8b\x03", 2); /* mov (%ebx), %eax */
	leave(VMX_EPT_VIOLATION, ACCESS | READS, 0);
	assert_int_equal(vm.end, VM_RUNS);
	assert_int_equal(page.rax, 0xffffffff);
	assert_int_equal(page.rip, CODE_AT + 2);
	code("\xf7\x03\x01\x00\x00\x00", 6); /* testl $1, (%ebx) */
	page.rip = CODE_AT;
	page.rflags = 0xcd7;
	leave(VMX_EPT_VIOLATION, ACCESS | READS, 0);
	assert_int_equal(page.rflags, 0x402); /* 1: neither sign, zero, nor even parity */
}

/* What the instruction at RIP does not do, it must not be made to do. */
UNIT_TEST(test_nowhere_without_instruction)
{
	static const struct {
		uint64_t qualification;
		uint32_t vectoring;
	} others[] = {{ACCESS | READS, EXCEPTION(6)}, /* the delivery of an event */
		      {0x80 | READS, 0},              /* the page tables */
		      {ACCESS | FETCHES, 0}};

	for (unsigned n = 0; n < 3; n++) {
		setup(NULL);
		code("\x8b\x03", 2);
		page.vect_info = others[n].vectoring;
		leave(VMX_EPT_VIOLATION, others[n].qualification, 0);
		assert_int_equal(vm.end, VM_FAULT);
		assert_int_equal(page.rip, CODE_AT);
		assert_int_equal(page.rax, 0);
	}
}

/* Bits 12 and 13 ask for exits on entry, and are undefined in what was interrupted; the length goes with INT n. */
UNIT_TEST(test_injected_again)
{
	page.vect_info = VMX_EVENT_VALID | VMX_EVENT_SOFT_INTR | 0x3000 | 0x80;
	leave(VMX_TIMER, 0, 2);
	assert_int_equal(cpu->event, VMX_EVENT_VALID | VMX_EVENT_SOFT_INTR | 0x80);
	assert_true(cpu->changed & MTD_RIP_LEN);
}

/* INS to a page that is not there: the guest gets the fault before the device is read. */
UNIT_TEST(test_input_is_kept)
{
	uint32_t *directory = (uint32_t *)(ram + 0x4000), *table = (uint32_t *)(ram + 0x5000);

	directory[0] = 0x5007;
	table[CODE_AT >> 12] = CODE_AT | 7;
	page.cr3 = 0x4000;
	page.cr0 |= PG;
	page.rdi = DATA_AT;
	page.rdx = MACHINE_COM1;
	uart_receive(&vm.machine.uart, 'x');
	code("\x6c", 1);
	leave(VMX_IO, (uint64_t)MACHINE_COM1 << 16 | PORT_STRING | PORT_IN, 1);
	assert_int_equal(cpu->event, EXCEPTION(PF) | VMX_EVENT_ERROR);
	assert_int_equal(cpu->error, 2);
	assert_int_equal(page.cr2, DATA_AT);
	assert_int_equal(page.rip, CODE_AT);
	table[DATA_AT >> 12] = DATA_AT | 7;
	cpu->event = 0;
	leave(VMX_IO, (uint64_t)MACHINE_COM1 << 16 | PORT_STRING | PORT_IN, 1);
	assert_int_equal(cpu->event, 0);
	assert_int_equal(ram[DATA_AT], 'x');
	assert_int_equal(page.rdi, DATA_AT + 1);
	assert_int_equal(page.rip, CODE_AT + 1);
}

/* ---- Control registers: MOV from RAX ---- */

static bool moves_to(unsigned cr, uint64_t value)
{
	page.rax = value;
	cpu->event = 0;
	leave(VMX_CR, cr, 3);
	if (cpu->event)
		assert_int_equal(cpu->event, EXCEPTION(GP) | VMX_EVENT_ERROR);
	return !cpu->event;
}

/* Outside 64-bit code the operand has 32 bits, and what is above may be left from before. */
UNIT_TEST(test_cr_operand)
{
	assert_true(moves_to(0, 0xdeadbeef00000031));
	assert_int_equal(page.cr0, 0x31);
	page.efer = 0x500;
	page.cr0 |= PG;
	page.cr4 = 0x20;
	page.cs.ar = VMX_AR_CODE64;
	assert_false(moves_to(0, page.cr0 | 1ul << 32));
}

/* Paging cannot be switched off in 64-bit code, nor with PCIDs; nor on for long mode, in code that would become
 * 64-bit. */
UNIT_TEST(test_cr0_paging)
{
	page.efer = 0x500;
	page.cr0 = PG | 0x31;
	page.cr4 = 0x20;
	page.cs.ar = VMX_AR_CODE64;
	assert_false(moves_to(0, 0x31));
	page.cs.ar = VMX_AR_CODE32;
	page.cr4 |= 1 << 17;
	assert_false(moves_to(0, 0x31));
	page.cr4 = 0x20;
	assert_true(moves_to(0, 0x31));
	assert_int_equal(page.efer, 0x100);
	page.cs.ar = VMX_AR_CODE64;
	assert_false(moves_to(0, PG | 0x31));
	page.cs.ar = VMX_AR_CODE32;
	assert_true(moves_to(0, PG | 0x31));
	assert_int_equal(page.efer, 0x500);
}

UNIT_TEST(test_cr4)
{
	assert_true(moves_to(4, 1 << 11));
	assert_false(moves_to(4, 1 << 13));        /* VMXE */
	assert_false(moves_to(4, 0x20 | 1 << 17)); /* PCIDs are for long mode, and begin with number 0 */
	page.efer = 0x500;
	page.cr0 |= PG;
	page.cr4 = 0x20;
	page.cr3 = 0x4001;
	assert_false(moves_to(4, 0x20 | 1 << 17));
	page.cr3 = 0x4000;
	assert_true(moves_to(4, 0x20 | 1 << 17));
	page.cr3 = 0x4001;
	assert_true(moves_to(4, 0x20 | 1 << 17 | 1 << 7));
}

/* ---- MSRs ---- */

static bool writes(uint32_t msr, uint64_t value)
{
	page.rcx = msr;
	page.rax = (uint32_t)value;
	page.rdx = value >> 32;
	cpu->event = 0;
	leave(VMX_WRMSR, 0, 2);
	return !cpu->event;
}

/* What the kernel would refuse at the next entry, the guest is refused at once. */
UNIT_TEST(test_msr_words)
{
	assert_true(writes(0xc0000084, 0x47700)); /* FMASK */
	assert_int_equal(page.fmask, 0x47700);
	assert_false(writes(0xc0000084, 1ul << 32));
	assert_int_equal(page.fmask, 0x47700);
	assert_false(writes(0xc0000082, 1ul << 47)); /* LSTAR */
	assert_true(writes(0xc0000082, -1ul << 47));
}

/* ---- APICs ---- */

/* At an address of the board, with the operand's address in EBX. */
static void board(uint32_t at, const char *bytes, size_t count)
{
	code(bytes, count);
	page.rip = CODE_AT;
	page.qual[1] = at;
	leave(VMX_EPT_VIOLATION, ACCESS | READS, 0);
	assert_int_equal(vm.end, VM_RUNS);
	assert_int_equal(page.rip, CODE_AT + count);
}

UNIT_TEST(test_board)
{
	board(LAPIC_AT + 0x30, "\x8b\x03", 2); /* mov (%ebx), %eax */
	assert_int_equal(page.rax, 0x30014);
	board(LAPIC_AT + 0x80, "\xc7\x03\x21\x00\x00\x00", 6); /* movl $0x21, (%ebx) */
	board(LAPIC_AT + 0x80, "\x83\x0b\x52", 3);             /* orl $0x52, (%ebx) */
	assert_int_equal(cpu->lapic->task, 0x73);
	page.rax = 0x40;
	board(LAPIC_AT + 0x80, "\x87\x03", 2); /* xchg %eax, (%ebx) */
	assert_int_equal(page.rax, 0x73);
	board(LAPIC_AT + 0x80, "\x83\x3b\x40", 3); /* cmpl $0x40, (%ebx) */
	assert_true(page.rflags & 0x40);
	assert_int_equal(cpu->lapic->task, 0x40);
	page.rax = 0x50;
	page.rdi = LAPIC_AT + 0x80;
	board(LAPIC_AT + 0x80, "\xab", 1); /* stosl */
	assert_int_equal(cpu->lapic->task, 0x50);
	assert_int_equal(lapic_cr8(cpu->lapic), 5);
}

/* The deadline is in the guest's own TSC: here it began at 0 with the VM, 2 GHz. */
UNIT_TEST(test_deadline)
{
	cpu->lapic->local[LAPIC_TIMER] = 0x90;
	assert_true(writes(0x6e0, 8000));
	assert_int_equal(cpu->lapic->deadline, 0); /* the timer is in another mode */
	cpu->lapic->local[LAPIC_TIMER] |= 2 << 17;
	assert_true(writes(0x6e0, 8001));
	assert_int_equal(cpu->lapic->deadline, 8001);
	assert_int_equal(lapic_next(cpu->lapic), 4001);
	assert_true(writes(0x6e0, 1ul << 60));
	assert_true(lapic_next(cpu->lapic) == ~0ul);
	assert_true(writes(0x6e0, -1ul)); /* before the start */
	assert_int_equal(lapic_next(cpu->lapic), 0);
}

UNIT_TEST(test_apic_msrs)
{
	assert_false(writes(0x80b, 0));
	assert_false(writes(0x1b, LAPIC_AT | 0x400));
	assert_true(writes(0x1b, LAPIC_AT | 0xc00));
	assert_true(writes(0x80b, 0));
	assert_true(writes(0x83f, 0x44));
	assert_true(machine_wants(&vm.machine, 0));
	assert_false(writes(0x8ff, 0));
}

/* ---- Waiting, and starting ---- */

enum { IF = 1 << 9, COMMAND_INIT = 0x4500, COMMAND_START = 0x4600, TO_OTHER = 1 << 24 };

static void command(unsigned from, uint32_t whom, uint32_t value)
{
	machine_store(&vm.machine, from, LAPIC_AT + 0x310, 4, whom, 0);
	machine_store(&vm.machine, from, LAPIC_AT + 0x300, 4, value, 0);
}

static void halt(uint64_t flags)
{
	page.rflags = flags;
	leave(VMX_HLT, 0, 1);
}

/* No device will ever have an interrupt, and the other processor has not been started. */
UNIT_TEST(test_halts_for_good)
{
	halt(2);
	assert_int_equal(vm.end, VM_HALTED);
	vm.end = VM_RUNS;
	halt(2 | IF);
	assert_int_equal(vm.end, VM_HALTED);
}

static unsigned rests;

static void other_speaks(void)
{
	if (++rests == 3)
		command(1, 0, 0x4044);
}

/* As long as the other one runs it may have something to say. */
UNIT_TEST(test_halts_for_another)
{
	rests = 0;
	vm.machine.lapic[1].waits = false;
	meanwhile = other_speaks;
	halt(2 | IF);
	assert_int_equal(rests, 3);
	assert_int_equal(vm.end, VM_RUNS);
	assert_int_equal(machine_acknowledge(&vm.machine, 0), 0x44);
	assert_false(cpu->halted);
}

/* A processor that waits for ever does not end a VM whose other one has an interrupt to take. */
UNIT_TEST(test_other_has_interrupt)
{
	vm.machine.lapic[1].waits = false;
	vm.cpu[1].halted = true;
	vm.machine.lapic[1].spurious |= 1 << 8;
	other_page.rflags = IF;
	command(0, TO_OTHER, 0x4044);
	rests = 0;
	meanwhile = other_speaks;
	halt(2 | IF);
	assert_int_equal(rests, 3);
	assert_int_equal(vm.end, VM_RUNS);
}

static void other_ends(void)
{
	vm.machine.lapic[1].waits = true;
}

/* Interrupts do not wake who has switched them off. */
UNIT_TEST(test_interrupts_are_off)
{
	vm.machine.lapic[1].waits = false;
	command(0, 0, 0x44044);
	meanwhile = other_ends;
	halt(2);
	assert_int_equal(vm.end, VM_HALTED);
}

UNIT_TEST(test_start)
{
	for (unsigned n = 0; n < 16; n++)
		(&page.rax)[n] = ~0ul;
	page.efer = page.cr3 = page.cr4 = page.intr_info = page.intr_state = 1;
	page.pat = 0x42;
	cpu->event = 1;
	cpu->window = true;
	exit_start(cpu, 0x9a);
	assert_true(page.cs.sel == 0x9a00 && page.cs.base == 0x9a000 && !page.rip);
	assert_false(page.rax | page.rsp | page.efer | page.cr3 | page.cr4 | page.intr_info | page.intr_state);
	assert_int_equal(page.cr0 & 0x80000001, 0);
	assert_int_equal(page.pat, 0x42);
	assert_false(cpu->event || cpu->window);
	assert_false(~cpu->changed &
		     (MTD_GPR_ACDB | MTD_RSP | MTD_RIP_LEN | MTD_CS_SS | MTD_CR | MTD_EFER_PAT | MTD_INJ));
	assert_false(cpu->changed & (MTD_TSC | MTD_SYSCALL_SWAPGS)); /* their registers keep what they have */
}

/* A number that leads somewhere about half the time. */
static uint64_t wild(void)
{
	switch (unit_random(4)) {
	case 0:
		return unit_random(RAM);
	case 1:
		return unit_random(RAM / 4096) * 4096 | unit_random(256);
	case 2:
		return 1ul << unit_random(64);
	default:
		return (uint64_t)unit_random(~0u) << 32 | unit_random(~0u);
	}
}

/* Whatever a guest's state, memory and exit: the monitor stays in its memory and comes back. */
UNIT_TEST(test_random)
{
	static const uint32_t reasons[] = {
		VMX_EXCEPTION, VMX_CPUID,         VMX_HLT,           VMX_CR,    VMX_IO, VMX_IO, VMX_RDMSR,
		VMX_WRMSR,     VMX_EPT_VIOLATION, VMX_EPT_VIOLATION, VMX_XSETBV};

	for (unsigned n = 0; n < 100000; n++) {
		uint64_t *words = (uint64_t *)&page, qualification;
		uint32_t reason;

		for (unsigned i = 0; i < sizeof(page) / sizeof(*words); i++)
			words[i] = wild();
		for (unsigned i = 0; i < 64; i++)
			((uint64_t *)ram)[unit_random(RAM / 8)] = wild();
		if (unit_random(2)) {
			page.cr0 &= ~PG;
			page.rip = CODE_AT;
			page.cs.base = 0;
			ram[CODE_AT] = (uint8_t)(unit_random(2) ? 0xf3 : 0x66);
			ram[CODE_AT + 1] = "\x6c\x6d\x6e\x6f\xa4\xa5\xab\xad"[unit_random(8)];
		}
		vm.end = VM_RUNS;
		cpu->event = 0;
		page.vect_info &= unit_random(2) ? ~0u : 0;
		reason = reasons[unit_random(11)];
		qualification = unit_random(2) ? wild() : ACCESS | READS;
		if (reason == VMX_IO) /* the processor has these sizes */
			qualification = (qualification & ~7ul) | "\0\1\3"[unit_random(3)];
		leave(reason, qualification, 1 + unit_random(15));
		assert_int_equal(cpu->event & 0x7ffff000, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_nowhere, setup),
		cmocka_unit_test_setup(test_nowhere_without_instruction, setup),
		cmocka_unit_test_setup(test_injected_again, setup),
		cmocka_unit_test_setup(test_input_is_kept, setup),
		cmocka_unit_test_setup(test_cr_operand, setup),
		cmocka_unit_test_setup(test_cr0_paging, setup),
		cmocka_unit_test_setup(test_cr4, setup),
		cmocka_unit_test_setup(test_msr_words, setup),
		cmocka_unit_test_setup(test_board, setup),
		cmocka_unit_test_setup(test_deadline, setup),
		cmocka_unit_test_setup(test_apic_msrs, setup),
		cmocka_unit_test_setup(test_halts_for_good, setup),
		cmocka_unit_test_setup(test_halts_for_another, setup),
		cmocka_unit_test_setup(test_other_has_interrupt, setup),
		cmocka_unit_test_setup(test_interrupts_are_off, setup),
		cmocka_unit_test_setup(test_start, setup),
		cmocka_unit_test_setup(test_random, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
