/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "platform/hip.h"

#include "lib/bits.h"
#include "lib/string.h"
#include "platform/console.h"
#include "platform/memmap_fit.h"
#include "platform/panic.h"
#include "platform/vga.h"

/* Sorts by address and joins what overlaps or touches; returns how many are left. */
static unsigned merge(struct range *r, unsigned count)
{
	unsigned n = 0;

	for (unsigned i = 1; i < count; i++)
		for (unsigned j = i; j && r[j].addr < r[j - 1].addr; j--) {
			struct range t = r[j];
			r[j] = r[j - 1];
			r[j - 1] = t;
		}
	for (unsigned i = 0; i < count; i++) {
		if (n && r[i].addr <= r[n - 1].addr + r[n - 1].size)
			r[n - 1].size = max_u64(r[n - 1].size, r[i].addr + r[i].size - r[n - 1].addr);
		else
			r[n++] = r[i];
	}
	return n;
}

/* Rounded out to pages; empty ranges are left out. */
static unsigned claimed_pages(const struct range *claimed, unsigned count, struct range *out)
{
	unsigned n = 0;

	kassert(count <= HIP_CLAIMED_MAX);
	for (unsigned i = 0; i < count; i++) {
		if (!claimed[i].size)
			continue;
		u64 start = align_down(claimed[i].addr, PAGE_SIZE);
		u64 end = align_up(claimed[i].addr + claimed[i].size, PAGE_SIZE);
		out[n++] = (struct range){start, end - start};
	}
	return merge(out, n);
}

static void add_mem(struct hip *hip, u64 addr, u64 size, u32 type, u32 aux)
{
	unsigned n = (hip->length - sizeof(*hip)) / sizeof(struct hip_mem);

	hip->mem[n] = (struct hip_mem){addr, size, type, aux};
	hip->length = (u16)(hip->length + sizeof(struct hip_mem));
}

static void add_map(struct hip *hip, const struct boot_info *boot, unsigned room)
{
	static struct boot_map map[BOOT_MAP_MAX]; /* a copy of the map, to be made shorter */
	u64 lost;

	memcpy(map, boot->map, sizeof(map));
	unsigned count = memmap_fit(map, boot->map_count, room, &lost);
	if (count < boot->map_count)
		log_warn("hip: room for %u of %u entries of the memory map, joined; %llu KiB of RAM are left out",
			 room, boot->map_count, lost / KiB);
	for (unsigned i = 0; i < count; i++)
		add_mem(hip, map[i].addr, map[i].size, map[i].type, 0);
}

static void add_all_mem(struct hip *hip, const struct boot_info *boot, const struct range *claimed, unsigned count)
{
	add_map(hip, boot, (unsigned)HIP_MEM_MAX - boot->module_count - count);
	for (unsigned i = 0; i < boot->module_count; i++) {
		const struct boot_module *m = &boot->module[i];
		add_mem(hip, m->image.addr, m->image.size, (u32)HIP_MEM_MODULE, (u32)m->cmdline);
	}
	for (unsigned i = 0; i < count; i++)
		add_mem(hip, claimed[i].addr, claimed[i].size, (u32)HIP_MEM_HYPERVISOR, 0);
}

_Static_assert(HIP_MEM_MAX >= BOOT_MODULES_MAX + HIP_CLAIMED_MAX + MEMMAP_FIT_MIN,
	       "modules and the kernel's ranges always fit");

static const struct hip_framebuffer text_screen = {
	.addr = VGA_FRAME_PHYS,
	.pitch = 2 * VGA_COLUMNS,
	.width = VGA_COLUMNS,
	.height = VGA_ROWS,
	.first_row = VGA_KERNEL_ROWS,
	.bits = 16,
};

static void add_screen(struct hip *hip, u32 feature, const struct hip_framebuffer *screen)
{
	hip->api_flg |= feature;
	memcpy((u8 *)hip + HIP_FRAMEBUFFER, screen, sizeof(*screen));
}

void hip_init(struct hip *hip, const struct boot_info *boot, const struct acpi_info *acpi,
	      const struct range *claimed, unsigned claimed_count)
{
	struct range pages[HIP_CLAIMED_MAX];
	unsigned pages_count = claimed_pages(claimed, claimed_count, pages);

	memset(hip, 0, PAGE_SIZE);
	*hip = (struct hip){
		.signature = HIP_SIGNATURE,
		.length = sizeof(*hip),
		.cpu_offset = offsetof(struct hip, cpu),
		.cpu_size = sizeof(struct hip_cpu),
		.mem_offset = offsetof(struct hip, mem),
		.mem_size = sizeof(struct hip_mem),
		.api_flg = HIP_EXT_TRACE | HIP_EXT_CONSOLE | HIP_EXT_MEMORY | HIP_EXT_IRQ |
			   (boot->efi ? HIP_FEATURE_UEFI : 0),
		.api_ver = HEDRON_API_VERSION,
		.sel_num = HEDRON_SEL_NUM,
		.sel_exc = HEDRON_SEL_EXC,
		.sel_vmi = HEDRON_SEL_VMI,
		.cfg_page = PAGE_SIZE,
		.cfg_utcb = PAGE_SIZE,
		.mcfg_base = acpi->mcfg_base,
		.mcfg_size = acpi->mcfg_size,
		.dmar_table = acpi->dmar,
		.xsdt_rsdt = acpi->root,
		.pm1a_cnt = acpi->pm1a_cnt,
		.pm1b_cnt = acpi->pm1b_cnt,
	};
	add_all_mem(hip, boot, pages, pages_count);
	if (boot->screen == BOOT_SCREEN_RGB)
		add_screen(hip, HIP_EXT_FRAMEBUFFER, &boot->framebuffer);
	else if (boot->text)
		add_screen(hip, HIP_EXT_TEXT, &text_screen);
}

void hip_set_cpu(struct hip *hip, unsigned cpu, struct acpi_cpu id, unsigned package, unsigned core, unsigned thread)
{
	kassert(cpu < HEDRON_CPU_MAX);
	hip->cpu[cpu] = (struct hip_cpu){
		.flags = HIP_CPU_ENABLED,
		.thread = (u8)thread,
		.core = (u8)core,
		.package = (u8)package,
		.acpi_id = (u8)id.acpi_id,
		.apic_id = (u8)id.apic_id,
	};
}

void hip_set_serial(struct hip *hip, struct hip_gas line)
{
	hip->api_flg |= HIP_EXT_SERIAL;
	memcpy((u8 *)hip + HIP_SERIAL, &line, sizeof(line));
}

void hip_set_build_id(struct hip *hip, const u8 *id)
{
	hip->api_flg |= HIP_EXT_BUILD_ID;
	memcpy((u8 *)hip + HIP_BUILD_ID, id, HIP_BUILD_ID_SIZE);
}

void hip_finish(struct hip *hip)
{
	u16 sum = 0;

	hip->checksum = 0;
	for (size_t at = 0; at < hip->length; at += sizeof(u16)) {
		u16 word;
		memcpy(&word, (const u8 *)hip + at, sizeof(word));
		sum = (u16)(sum + word);
	}
	hip->checksum = (u16)-sum;
}
