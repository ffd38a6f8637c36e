/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The order in which the machine comes up: two lists of steps, boot_main() on the boot loader's stack and init_late()
 * on the CPU's own. Everything that can be missing or broken is told apart here, with a message.
 */
#include "apic/lapic.h"
#include "arch/cpu.h"
#include "arch/memory.h"
#include "arch/space.h"
#include "arch/switch.h"
#include "boot/reset.h"
#include "boot/smp.h"
#include "boot/suspend.h"
#include "boot/trampoline.h"
#include "core/dispatch.h"
#include "core/drain.h"
#include "core/irq.h"
#include "core/kp.h"
#include "core/pt.h"
#include "core/sc.h"
#include "core/sm.h"
#include "core/vcpu.h"
#include "cpu/desc.h"
#include "cpu/mca.h"
#include "irq/ioapic.h"
#include "lib/format.h"
#include "lib/string.h"
#include "mm/page.h"
#include "mmu/kframes.h"
#include "mmu/kspace.h"
#include "mmu/mtrr.h"
#include "mmu/pdspace.h"
#include "platform/acpi.h"
#include "platform/cmdline.h"
#include "platform/console.h"
#include "platform/framebuffer.h"
#include "platform/hip.h"
#include "platform/memmap.h"
#include "platform/multiboot.h"
#include "platform/panic.h"
#include "platform/ramlog.h"
#include "platform/serial.h"
#include "platform/vga.h"
#include "start/roottask.h"
#include "virt/virt.h"

extern const u8 image_end[];
extern u64 boot_pd_high[];
extern const u8 build_id_note[], build_id_note_end[];
__attribute__((noreturn)) void boot_switch_stack(u64 stack_top, void (*fn)(void), u64 argument);
__attribute__((noreturn)) void boot_main(u32 magic, u32 info, u64 load);

static struct boot_info boot;
static struct acpi_info acpi;
static struct cmdline cmdline;
static struct range image, ramlog;
static struct memmap_heap heap;
static unsigned self; /* the boot CPU's number */

/* The boot tables map the low 4 GiB one to one. What lies beyond is shown 2 MiB at a time, in the last entry of the
 * table that has the image. */
#define WINDOW_ENTRY 511
#define WINDOW_SIZE (2 * MiB)

static const void *open_window(u64 pa, u64 len)
{
	u64 va = KERNEL_VIRT + WINDOW_ENTRY * WINDOW_SIZE, offset = pa % WINDOW_SIZE;

	if (pa >> features_phys_bits() || len > WINDOW_SIZE - offset)
		return NULL;
	boot_pd_high[WINDOW_ENTRY] = (pa - offset) | PTE_P | PTE_PS | PTE_NX;
	invlpg(va);
	return (const void *)(va + offset);
}

/* The kernel's own tables show nothing of foreign memory but the page in the window of this CPU. */
static bool boot_tables_left;

static const void *open_page(u64 pa, u64 len)
{
	if (pa >> features_phys_bits() || len > PAGE_SIZE - (pa & PAGE_MASK))
		return NULL;
	kspace_window_close();
	return kspace_window_open(paddr(pa), KPTE_RO);
}

static void leave_boot_tables(void)
{
	kspace_enter();
	boot_tables_left = true;
}

const void *arch_phys_map(paddr_t pa, u64 len)
{
	if (boot_tables_left)
		return open_page(pa.v, len);
	if (pa.v >= KSPACE_BOOT_END)
		return open_window(pa.v, len);
	return pa.v && len <= KSPACE_BOOT_END - pa.v ? (const void *)pa.v : NULL;
}

volatile void *arch_map_device(paddr_t pa)
{
	return kspace_map_device(pa);
}

#define NOTE_BUILD_ID_OFFSET 16 /* of the hash in the note: header and "GNU" */

/* Null when the linker was told to make none, or a shorter one. */
static const u8 *build_id(void)
{
	const u8 *hash = build_id_note + NOTE_BUILD_ID_OFFSET;

	return hash + HIP_BUILD_ID_SIZE <= build_id_note_end ? hash : NULL;
}

static void print_banner(u64 load)
{
	char id[17] = "unknown";
	const u8 *hash = build_id();

	if (hash)
		format_text(id, sizeof(id), "%02x%02x%02x%02x%02x%02x%02x%02x", hash[0], hash[1], hash[2], hash[3],
			    hash[4], hash[5], hash[6], hash[7]);
	log_info("Hedron Hypervisor %s (%s, %s, build %s) [MB%u]%s", HEDRON_VERSION, HEDRON_BUILD_TYPE,
#ifdef __clang__
		 "clang " __clang_version__,
#else
		 "gcc " __VERSION__,
#endif
		 id, boot.protocol == BOOT_MB2 ? 2 : 1, boot.efi ? " [EFI]" : "");
	log_info("image at %#lx, %llu KiB", load, image.size / KiB);
}

/* Shows what loader and firmware say, at the level "debug". */
static void print_findings(void)
{
	for (u32 i = 0; i < boot.map_count; i++)
		log_debug("memory at %#lx, %llu KiB, type %u", boot.map[i].addr, boot.map[i].size / KiB,
			  boot.map[i].type);
	for (u32 i = 0; i < boot.module_count; i++)
		log_debug("module at %#lx, %lu bytes", boot.module[i].image.addr, boot.module[i].image.size);
	if (boot.screen == BOOT_SCREEN_RGB)
		log_debug("screen at %#lx, %ux%u pixels, pitch %u, %u bits each", boot.framebuffer.addr,
			  boot.framebuffer.width, boot.framebuffer.height, boot.framebuffer.pitch,
			  boot.framebuffer.bits);
	for (u32 i = 0; i < acpi.cpu_count; i++)
		log_debug("CPU %u has APIC ID %u", i, acpi.cpu[i].apic_id);
}

/* Pixels if the loader gave us some, else text: a machine with EFI has that only if the loader says so. */
static void start_screen(void)
{
	struct hip_framebuffer *fb = &boot.framebuffer;

	if (boot.screen == BOOT_SCREEN_RGB) {
		void *at = kspace_map_framebuffer(paddr(image.addr), paddr(fb->addr), framebuffer_size(fb));
		if (at) {
			framebuffer_init(fb, at);
			return;
		}
		log_warn("screen at %#lx is beyond the CPU's addresses", fb->addr);
		boot.screen = BOOT_SCREEN_UNKNOWN;
	} else if (!boot.efi || boot.screen == BOOT_SCREEN_TEXT) {
		vga_init(kspace_vga());
		boot.text = true;
	}
}

/* After the tables of firmware are read, which it keeps off. It is seen at the same address in the boot tables and in
 * the kernel's, and begins with all that was said before. */
static void start_ramlog(void)
{
	if (!memmap_pick_log(&boot, &acpi, image, cmdline.ramlog, cmdline.ramlog_at, &ramlog)) {
		log_warn("no log in RAM: its place is not free RAM below 4 GiB");
		return;
	}
	ramlog_init(heap_virt(paddr(ramlog.addr)), ramlog, arch_tsc());
	panic_reboots_after(cmdline.panic_reboots ? 0 : PANIC_REBOOT_TICKS);
}

/* A serial line that the command line does not name is looked for when the firmware's tables are known. */
static void start_consoles(void)
{
	console_set_level((enum log_level)cmdline.log_level);
	if (cmdline.panic_reboots)
		panic_reboots_after(0);
	serial_start(&cmdline.serial, &boot);
	if (cmdline.vga)
		start_screen();
}

static void read_acpi(void)
{
	if (!acpi_parse(&boot, lapic_id(), &acpi))
		log_warn("no ACPI tables: one CPU, no power control");
	serial_find(&acpi);
}

/* The count is taken after smp_self() has corrected the table. */
static void count_cpus(void)
{
	self = smp_self(&acpi);
	cpu_count = acpi.cpu_count;
	page_set_cpus(cpu_count);
}

static void choose_heap(void)
{
	if (!memmap_pick_heap(&boot, &acpi, image, cmdline.heap, &heap))
		panic("no memory for the kernel heap: the firmware's map has no free 2 MiB below 4 GiB");
	if (heap.count == 1)
		page_init(paddr(heap.piece[0].addr), heap.piece[0].size);
	else
		kframes_init(&heap);
	for (u32 i = 0; i < heap.count; i++)
		log_info("heap at %#lx, %llu MiB of %llu MiB RAM", heap.piece[i].addr, heap.piece[i].size / MiB,
			 memmap_ram_total(&boot) / MiB);
}

static void must(enum status s, const char *what)
{
	if (s != SUCCESS)
		panic("out of memory while making %s: try a larger heap= on the command line", what);
}

static void init_caches(void)
{
	pd_init_cache();
	ec_init_caches(cpu_features.fpu_size);
	sc_init_cache();
	pt_init_cache();
	sm_init_cache();
	kp_init_cache();
	irq_init_cache();
	vcpu_init_cache();
}

static void init_kernel_pd(void)
{
	must(space_obj_init(&pd_kernel.objs, &pd_kernel.account), "the kernel's object space");
	must(space_pio_boot(&pd_kernel), "the port space");
	must(pdspace_init(), "the port bitmap");
	arch_pd_init(&pd_kernel);
	kspace_show_private();
}

/* Withholds image and heap from user land. */
static void claim_memory(void)
{
	space_mem_claim(paddr(image.addr), image.size);
	for (u32 i = 0; i < heap.count; i++)
		space_mem_claim(paddr(heap.piece[i].addr), heap.piece[i].size);
	if (ramlog.size)
		space_mem_claim(paddr(ramlog.addr), ramlog.size);
}

static void prepare_cpus(void)
{
	for (unsigned n = 0; n < cpu_count; n++)
		smp_prepare_cpu(n, &acpi);
}

static void join_online(void)
{
	mca_start_cpu(cpu_current());
	virt->start_cpu(cpu_current());
	cpus_online[self / 64] |= bit(self % 64);
}

static struct hip *begin_hip(void)
{
	struct range claimed[2 + MEMMAP_HEAP_PIECES] = {image, ramlog};
	_Static_assert(array_size(claimed) <= HIP_CLAIMED_MAX, "all of the kernel's ranges are named");
	struct hip *hip = page_alloc_zeroed();
	struct hip_gas console;

	if (!hip)
		panic("out of memory while making the HIP");
	memcpy(&claimed[2], heap.piece, heap.count * sizeof(heap.piece[0]));
	hip_init(hip, &boot, &acpi, claimed, 2 + heap.count);
	hip->freq_tsc = tsc_khz;
	if (serial_place(&console))
		hip_set_serial(hip, console);
	if (build_id())
		hip_set_build_id(hip, build_id());
	return hip;
}

/* After the start of the other CPUs: virtualization is announced only if all of them can do it. */
static void finish_hip(struct hip *hip)
{
	virt->announce(hip);
	if (ramlog.size)
		hip->api_flg |= HIP_EXT_CONSOLE_KEEPS;
	hip_finish(hip);
}

static void print_result(void)
{
	log_info("CR0 %#lx, CR4 %#lx, XCR0 %#x, EFER %#lx", cr0_read(), cr4_read(), cpu_features.xcr0,
		 msr_read(MSR_EFER));
	log_info("boot CPU is %u, TSC %u kHz, %llu KiB of heap free", self, tsc_khz,
		 page_free_count() * PAGE_SIZE / KiB);
}

/* The boot tables, which map all of the low memory, serve for the tables of firmware. They are left before anything
 * of the roottask is looked at: nobody knows who has made that. */
static void init_late(void)
{
	struct hip *hip;

	cpu_setup(self);
	reset_init(&acpi);
	virt_init(cmdline.vpid, cmdline.l1_flush);
	init_caches();
	init_kernel_pd();
	claim_memory();
	tsc_init(&acpi); /* takes long, and NMIs may come: they have their stack since init_kernel_pd() */
	prepare_cpus();
	join_online();
	hip = begin_hip();
	trampoline_init(&boot);
	smp_start(&acpi, hip);
	ioapic_init(&acpi.irq);
	suspend_init(&acpi);
	finish_hip(hip);
	vga_share();
	leave_boot_tables();
	roottask_create(cpu_current(), &boot, hip);
	kspace_window_close();
	print_result();
	drain_start();
	arch_dispatch();
}

void boot_main(u32 magic, u32 info, u64 load)
{
	bool valid;

	image = (struct range){load, align_up((u64)image_end - KERNEL_VIRT, PAGE_SIZE)};
	desc_init();
	valid = multiboot_parse(magic, paddr(info), &boot);
	cmdline_parse(boot.cmdline, &cmdline);
	framebuffer_check(&boot, image);
	start_consoles();
	print_banner(load);
	read_acpi();
	if (cmdline.ramlog)
		start_ramlog();
	if (!valid)
		panic("the boot loader's information is not Multiboot 1 or 2 (magic %#x)", magic);
	cpu_detect(cmdline.pcid, cmdline.mwait);
	mtrr_check();
	choose_heap();
	count_cpus();
	print_findings();
	must(kspace_init(&heap, paddr(load), cpu_count), "the kernel's address space");
	must(kspace_map_log(ramlog), "a place for the log in RAM");
	serial_settle();
	boot_switch_stack((u64)arch_cpu(self) + CPU_STACK_TOP, init_late, 0);
}
