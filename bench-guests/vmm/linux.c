/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vmm/linux.h"

#include "rt/console.h"
#include "rt/size.h"
#include "rt/string.h"

/* Where things are in the guest's memory. The kernel is where it wants to be, the initrd at the end. */
enum {
	GDT_AT = 0x8000,
	TABLES_AT = 0x9000,
	PARAMS_AT = 0x10000,
	WORDS_AT = 0x20000,
	LOW_END = 0xa0000,
	HIGH_START = 0x100000
};
enum { CODE_SELECTOR = 0x10, DATA_SELECTOR = 0x18, TASK_SELECTOR = 0x20 };
enum { SECTOR = 512, ENTRY_64 = 0x200, MAPPED_GIB = 4 };

/* The header, which begins at byte 0x1f1 of the file and of the boot parameters; boot.rst, "Details of header
 * fields". */
struct setup_header {
	uint8_t setup_sects;
	uint16_t root_flags;
	uint32_t syssize;
	uint16_t ram_size, vid_mode, root_dev, boot_flag, jump;
	char magic[4];
	uint16_t version;
	uint32_t realmode_swtch;
	uint16_t start_sys_seg, kernel_version;
	uint8_t type_of_loader, loadflags;
	uint16_t setup_move_size;
	uint32_t code32_start, ramdisk_image, ramdisk_size, bootsect_kludge;
	uint16_t heap_end_ptr;
	uint8_t ext_loader_ver, ext_loader_type;
	uint32_t cmd_line_ptr, initrd_addr_max, kernel_alignment;
	uint8_t relocatable, min_alignment;
	uint16_t xloadflags;
	uint32_t cmdline_size, hardware_subarch;
	uint64_t hardware_subarch_data;
	uint32_t payload_offset, payload_length;
	uint64_t setup_data, pref_address;
	uint32_t init_size, handover_offset;
} __attribute__((packed));

struct e820_entry {
	uint64_t addr, size;
	uint32_t type;
} __attribute__((packed));

struct boot_params {
	uint8_t screen[0x1e8]; /* all 0: there is none */
	uint8_t e820_entries;
	uint8_t unused1[8];
	struct setup_header header;
	uint8_t unused2[0x2d0 - 0x1f1 - sizeof(struct setup_header)];
	struct e820_entry e820[128];
	uint8_t unused3[0x1000 - 0x2d0 - 128 * sizeof(struct e820_entry)];
} __attribute__((packed));

_Static_assert(offsetof(struct boot_params, header) == 0x1f1, "boot.rst: the header's place");
_Static_assert(offsetof(struct boot_params, header.magic) == 0x202, "boot.rst: HdrS");
_Static_assert(offsetof(struct boot_params, header.init_size) == 0x260, "boot.rst: init_size");
_Static_assert(sizeof(struct boot_params) == 0x1000, "boot parameters are a page");

enum { LOADED_HIGH = 1, XLF_KERNEL_64 = 1, VERSION_MIN = 0x20a, LOADER_UNKNOWN = 0xff, E820_RAM = 1 };

static bool refuse(const char *why)
{
	rt_printf("not a Linux kernel that can be booted: %s\n", why);
	return false;
}

static bool read_header(struct setup_header *h, const struct linux_image *image)
{
	const uint8_t *file = image->kernel;
	size_t length;

	if (image->kernel_size < offsetof(struct boot_params, header) + sizeof(*h))
		return refuse("the file is too short");
	/* The byte behind the jump says how long the header of this version is; what is behind it is code. */
	length = 0x11u + file[0x201];
	memset(h, 0, sizeof(*h));
	memcpy(h, file + offsetof(struct boot_params, header), rt_min(length, sizeof(*h)));
	if (memcmp(h->magic, "HdrS", 4) || h->boot_flag != 0xaa55)
		return refuse("no header");
	if (h->version < VERSION_MIN || !(h->loadflags & LOADED_HIGH))
		return refuse("its boot protocol is older than 2.10");
	return true;
}

/* Moves `size` bytes into memory that is to hold `room` of them. */
static bool place(struct guest_vm *vm, uint64_t at, const void *from, size_t size, uint64_t room)
{
	void *to = vm_memory(vm, at, room > size ? room : size);

	if (!to)
		return false;
	memcpy(to, from, size);
	return true;
}

static bool place_kernel(struct guest_vm *vm, const struct linux_image *image, const struct setup_header *h)
{
	size_t setup = ((h->setup_sects ? h->setup_sects : 4) + 1ul) * SECTOR;

	if (setup >= image->kernel_size)
		return refuse("the file ends in its setup code");
	if (!place(vm, h->pref_address, (const uint8_t *)image->kernel + setup, image->kernel_size - setup,
		   h->init_size))
		return refuse("the VM has too little memory for it");
	return true;
}

static bool place_initrd(struct guest_vm *vm, const struct linux_image *image, struct setup_header *h)
{
	uint64_t end = rt_min(vm->ram_size, (uint64_t)h->initrd_addr_max + 1), at;

	if (!image->initrd_size)
		return true;
	at = (end - rt_min(end, image->initrd_size)) & -RT_PAGE;
	if (at < h->pref_address + h->init_size || !place(vm, at, image->initrd, image->initrd_size, 0))
		return refuse("the VM has too little memory for its initrd");
	h->ramdisk_image = (uint32_t)at;
	h->ramdisk_size = (uint32_t)image->initrd_size;
	return true;
}

static bool place_params(struct guest_vm *vm, const struct linux_image *image, struct setup_header *h)
{
	size_t length = strlen(image->words) + 1;
	struct boot_params *p = vm_memory(vm, PARAMS_AT, sizeof(*p));

	if (length > h->cmdline_size + 1ul || length > LOW_END - WORDS_AT)
		return refuse("its command line is too long");
	if (!p || !place(vm, WORDS_AT, image->words, length, 0))
		return refuse("the VM has too little memory for it");
	h->type_of_loader = LOADER_UNKNOWN;
	h->cmd_line_ptr = WORDS_AT;
	h->code32_start = (uint32_t)h->pref_address;
	memset(p, 0, sizeof(*p));
	p->header = *h;
	p->e820[0] = (struct e820_entry){0, LOW_END, E820_RAM};
	p->e820[1] = (struct e820_entry){HIGH_START, vm->ram_size - HIGH_START, E820_RAM};
	p->e820_entries = 2;
	return true;
}

/* The first 4 GiB at their own addresses: a level-4 table, a level-3 table and a level-2 table per GiB. */
static void place_tables(struct guest_vm *vm)
{
	enum { PRESENT_WRITE = 3, LARGE = 0x80, ENTRIES = 512 };
	uint64_t *top = vm_memory(vm, TABLES_AT, (2 + MAPPED_GIB) * RT_PAGE);
	uint64_t *next = top + ENTRIES, *large = next + ENTRIES;

	memset(top, 0, 2 * RT_PAGE);
	top[0] = (TABLES_AT + RT_PAGE) | PRESENT_WRITE;
	for (unsigned long i = 0; i < MAPPED_GIB; i++)
		next[i] = (TABLES_AT + (2 + i) * RT_PAGE) | PRESENT_WRITE;
	for (unsigned long i = 0; i < MAPPED_GIB * (unsigned long)ENTRIES; i++)
		large[i] = i << 21 | PRESENT_WRITE | LARGE;
}

static void place_gdt(struct guest_vm *vm, bool is_64)
{
	uint64_t *gdt = vm_memory(vm, GDT_AT, RT_PAGE);

	gdt[CODE_SELECTOR / 8] = is_64 ? 0x00af9b000000ffff : 0x00cf9b000000ffff;
	gdt[DATA_SELECTOR / 8] = 0x00cf93000000ffff;
	gdt[TASK_SELECTOR / 8] = 0x00008b0000000067;
}

static struct utcb_seg segment(unsigned sel, unsigned ar, uint32_t limit)
{
	return (struct utcb_seg){.sel = (uint16_t)sel, .ar = (uint16_t)ar, .limit = limit};
}

/* boot.rst, "32-bit boot protocol" and "64-bit boot protocol": flat segments, interrupts off, RSI at the parameters.
 */
static void set_processor(struct guest_vm *vm, uint64_t kernel, bool is_64)
{
	enum {
		CR0_PE = 1,
		CR0_ET = 0x10,
		CR0_NE = 0x20,
		CR4_PAE = 0x20,
		EFER_LME = 0x100,
		EFER_LMA = 0x400,
		RFLAGS_ONE = 2
	};
	enum { DR7_RESET = 0x400, CR0_PG_BIT = 31 };
	struct utcb_state *s = vm->s;

	s->rip = kernel + (is_64 ? ENTRY_64 : 0);
	s->rsi = PARAMS_AT;
	s->rsp = PARAMS_AT; /* the kernel makes its own stack at once */
	s->rflags = RFLAGS_ONE;
	s->cr0 = CR0_PE | CR0_ET | CR0_NE | (is_64 ? 1ul << CR0_PG_BIT : 0);
	s->cr3 = TABLES_AT;
	s->cr4 = is_64 ? CR4_PAE : 0;
	s->efer = is_64 ? EFER_LME | EFER_LMA : 0;
	s->dr7 = DR7_RESET;
	s->cs = segment(CODE_SELECTOR, is_64 ? VMX_AR_CODE64 : VMX_AR_CODE32, ~0u);
	s->ss = s->ds = s->es = s->fs = s->gs = segment(DATA_SELECTOR, VMX_AR_DATA32, ~0u);
	s->tr = segment(TASK_SELECTOR, VMX_AR_TSS, 103);
	s->ldtr = segment(0, VMX_AR_UNUSABLE, 0);
	s->gdtr = (struct utcb_seg){.limit = TASK_SELECTOR + 7, .base = GDT_AT};
	s->idtr = (struct utcb_seg){0};
}

bool linux_load(struct guest_vm *vm, const struct linux_image *image)
{
	struct setup_header h;
	bool is_64;

	if (!read_header(&h, image) || !place_kernel(vm, image, &h) || !place_initrd(vm, image, &h) ||
	    !place_params(vm, image, &h))
		return false;
	is_64 = h.xloadflags & XLF_KERNEL_64;
	place_tables(vm);
	place_gdt(vm, is_64);
	set_processor(vm, h.pref_address, is_64);
	return true;
}
