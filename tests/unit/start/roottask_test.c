/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The first program: where the pages of its image come from, what it finds when it starts, and what is refused. */
#include "start/roottask.h"
#include "../core/world.h"

#include <elf.h>

#define MODULE 0x2000000 /* where the boot loader put it */
#define FILE_SIZE 0x4000
#define CODE 0x400000
#define DATA 0x403000

static struct {
	Elf64_Ehdr header;
	Elf64_Phdr segment[2];
	u8 rest[FILE_SIZE];
} aligned(4096) file;
static struct boot_info boot;
static u8 hip_page[PAGE_SIZE] aligned(4096);

/* Code that lies in the file as in memory; data whose last page is half the file's, with three pages behind. */
static int setup(void **state)
{
	world_setup(state);
	host_phys_bits = 40;
	space_mem_claim(paddr(HOST_HEAP_PHYS), WORLD_HEAP);
	memset(&file, 0xcc, sizeof(file));
	file.header = (Elf64_Ehdr){
		.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
		.e_type = ET_EXEC,
		.e_machine = EM_X86_64,
		.e_version = EV_CURRENT,
		.e_entry = CODE + 0x1010,
		.e_phoff = offsetof(__typeof__(file), segment),
		.e_ehsize = sizeof(Elf64_Ehdr),
		.e_phentsize = sizeof(Elf64_Phdr),
		.e_phnum = 2,
	};
	file.segment[0] = (Elf64_Phdr){.p_type = PT_LOAD,
				       .p_flags = PF_R | PF_X,
				       .p_offset = 0x1000,
				       .p_vaddr = CODE + 0x1000,
				       .p_filesz = 0x1800,
				       .p_memsz = 0x1800};
	file.segment[1] = (Elf64_Phdr){.p_type = PT_LOAD,
				       .p_flags = PF_R | PF_W,
				       .p_offset = 0x3000,
				       .p_vaddr = DATA,
				       .p_filesz = 0x234,
				       .p_memsz = 0x3000};
	boot = (struct boot_info){.module_count = 1, .module[0].image = {MODULE, FILE_SIZE}};
	host_add_phys(MODULE, &file, FILE_SIZE);
	return 0;
}

static void create(void *unused)
{
	(void)unused;
	roottask_create(cpu_current(), &boot, (const struct hip *)hip_page);
}

static u64 entry_at(struct pd *pd, u64 va)
{
	unsigned order;
	u64 e = ptab_lookup(&pd->mem.host, va >> PAGE_BITS, &order);
	return e ? e + ((va >> PAGE_BITS & bits_low(order)) << PAGE_BITS) : 0;
}

UNIT_TEST(starts)
{
	struct cpu *cpu = cpu_current();
	create(NULL);
	struct host_exit e = host_dispatch();
	struct ec *ec = e.ec;
	struct pd *pd = ec->pd;
	assert_ptr_equal(cpu->ec, ec);
	assert_int_equal(e.way, HOST_TRAP); /* all registers are as promised */
	assert_true(pd->root && pd->passthrough);
	assert_int_equal(ec->regs.rip, CODE + 0x1010);
	assert_int_equal(ec->regs.rsp, HEDRON_ROOT_HIP);
	assert_int_equal(ec->regs.rdi, cpu->id);
	assert_int_equal(ec->regs.rax | ec->regs.rbx | ec->regs.rcx | ec->regs.rdx | ec->regs.rsi | ec->regs.r11, 0);
	assert_ptr_equal(cap_object(space_obj_slot(&pd->objs, HEDRON_ROOT_SEL_PD)->cap), &pd->obj);
	assert_ptr_equal(cap_object(space_obj_slot(&pd->objs, HEDRON_ROOT_SEL_EC)->cap), &ec->obj);
	assert_ptr_equal(cap_object(space_obj_slot(&pd->objs, HEDRON_ROOT_SEL_SC)->cap), &cpu->sc->obj);
	assert_int_equal(cpu->sc->prio, 1);
}

UNIT_TEST(pages_of_the_image)
{
	create(NULL);
	struct pd *pd = host_dispatch().ec->pd;

	/* the file's own, in place */
	assert_int_equal(entry_at(pd, CODE + 0x1000) & PTE_ADDR, MODULE + 0x1000);
	assert_int_equal(entry_at(pd, CODE + 0x2000) & PTE_ADDR, MODULE + 0x2000);
	assert_int_equal(entry_at(pd, CODE + 0x1000) & (PTE_W | PTE_NX), 0);
	assert_int_equal(entry_at(pd, CODE), 0);

	/* the border is a copy, with zeroes behind */
	u64 border = entry_at(pd, DATA);
	assert_int_not_equal(border & PTE_ADDR, MODULE + 0x3000);
	assert_int_equal(border & (PTE_W | PTE_NX), PTE_W | PTE_NX);
	const u8 *copy = heap_virt(paddr(border & PTE_ADDR));
	for (unsigned i = 0; i < PAGE_SIZE; i++)
		assert_int_equal(copy[i], i < 0x234 ? 0xcc : 0);
	for (u64 va = DATA + PAGE_SIZE; va < DATA + 0x3000; va += PAGE_SIZE) {
		const u64 *page = heap_virt(paddr(entry_at(pd, va) & PTE_ADDR));
		assert_true(entry_at(pd, va) & PTE_DELEG);
		for (unsigned i = 0; i < PAGE_SIZE / 8; i++)
			assert_int_equal(page[i], 0);
	}
	assert_int_equal(entry_at(pd, DATA + 0x3000), 0);
	assert_true(entry_at(pd, HEDRON_ROOT_HIP) && entry_at(pd, HEDRON_ROOT_UTCB));
	assert_int_equal(entry_at(pd, HEDRON_ROOT_HIP) & PTE_W, 0);
}

static void refused(const char *why)
{
	assert_true(host_panics(create, NULL));
	assert_non_null(strstr(host_panic_text, why));
}

UNIT_TEST(no_module)
{
	boot.module_count = 0;
	refused("passed no module");
}

UNIT_TEST(module_out_of_reach)
{
	boot.module[0].image.addr += FILE_SIZE;
	refused("nothing can be read");
}

/* Far away, and in pages that are not mapped side by side. */
UNIT_TEST(module_above_4g)
{
	static u8 pages[FILE_SIZE / PAGE_SIZE][PAGE_SIZE];

	boot.module[0].image.addr = 5 * GiB;
	for (unsigned i = 0; i < array_size(pages); i++) {
		memcpy(pages[i], (u8 *)&file + i * PAGE_SIZE, PAGE_SIZE);
		host_add_phys(5 * GiB + i * PAGE_SIZE, pages[i], PAGE_SIZE);
	}
	create(NULL);
	struct pd *pd = host_dispatch().ec->pd;
	assert_int_equal(entry_at(pd, CODE + 0x1000) & PTE_ADDR, 5 * GiB + 0x1000);
	const u8 *copy = heap_virt(paddr(entry_at(pd, DATA) & PTE_ADDR));
	assert_int_equal(copy[0x233], 0xcc);
	assert_int_equal(copy[0x234], 0);
}

UNIT_TEST(module_not_on_a_page)
{
	host_add_phys(0x3000800, &file, FILE_SIZE);
	boot.module[0].image.addr = 0x3000800;
	refused("page boundary");
}

UNIT_TEST(bad_image)
{
	file.header.e_machine = EM_386;
	refused("Bad ELF: not for x86-64");
}

UNIT_TEST(no_memory)
{
	while (page_free_count() > 12)
		assert_non_null(page_alloc());
	refused("out of memory");
}

/* Nothing of the machine is taken down: the roottask is for ever. */
#define T(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(starts),          T(pages_of_the_image),   T(no_module), T(module_out_of_reach),
		T(module_above_4g), T(module_not_on_a_page), T(bad_image), T(no_memory),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
