/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vmm/load.h"

#include "vmm/acpi_tables.h"

#include "rt/size.h"
#include "rt/string.h"

/* Where things are in the guest's memory. The kernel is where it wants to be, the initrd at the end. */
enum { TABLES_AT = 0x9000, PARAMS_AT = 0x10000, WORDS_AT = 0x20000 };
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
	uint8_t screen[0x70]; /* all 0: there is none */
	uint64_t acpi;
	uint8_t unused0[0x1e8 - 0x78];
	uint8_t e820_entries;
	uint8_t unused1[8];
	struct setup_header header;
	uint8_t unused2[0x2d0 - 0x1f1 - sizeof(struct setup_header)];
	struct e820_entry e820[128];
	uint8_t unused3[0x1000 - 0x2d0 - 128 * sizeof(struct e820_entry)];
} __attribute__((packed));

_Static_assert(offsetof(struct boot_params, acpi) == 0x70, "boot.rst, zero-page.rst: acpi_rsdp_addr");
_Static_assert(offsetof(struct boot_params, header) == 0x1f1, "boot.rst: the header's place");
_Static_assert(offsetof(struct boot_params, header.magic) == 0x202, "boot.rst: HdrS");
_Static_assert(offsetof(struct boot_params, header.init_size) == 0x260, "boot.rst: init_size");
_Static_assert(sizeof(struct boot_params) == 0x1000, "boot parameters are a page");

enum { LOADED_HIGH = 1, XLF_KERNEL_64 = 1, VERSION_MIN = 0x20a, LOADER_UNKNOWN = 0xff, E820_RAM = 1, E820_ACPI = 3 };

static bool read_header(struct setup_header *h, const struct load_file *kernel)
{
	const uint8_t *file = kernel->data;
	size_t length;

	if (kernel->size < offsetof(struct boot_params, header) + sizeof(*h))
		return load_refuse("the file is too short");
	/* The byte behind the jump says how long the header of this version is; what is behind it is code. */
	length = 0x11u + file[0x201];
	memset(h, 0, sizeof(*h));
	memcpy(h, file + offsetof(struct boot_params, header), rt_min(length, sizeof(*h)));
	if (memcmp(h->magic, "HdrS", 4) || h->boot_flag != 0xaa55)
		return load_refuse("no header");
	if (h->version < VERSION_MIN || !(h->loadflags & LOADED_HIGH))
		return load_refuse("its boot protocol is older than 2.10");
	if (!h->pref_address)
		h->pref_address = LOAD_HIGH_START;
	return true;
}

/*
 * boot.rst, "relocatable_kernel" and "pref_address": a kernel that cannot be moved is loaded at the first MiB, and
 * moves itself to the address it prefers.
 */
static uint64_t load_address(const struct setup_header *h)
{
	return h->relocatable ? h->pref_address : LOAD_HIGH_START;
}

static bool place_kernel(struct guest_vm *vm, const struct load_file *kernel, const struct setup_header *h)
{
	size_t setup = ((h->setup_sects ? h->setup_sects : 4) + 1ul) * SECTOR;

	if (setup >= kernel->size)
		return load_refuse("the file ends in its setup code");
	if (h->pref_address < LOAD_HIGH_START)
		return load_refuse("it wants to be below the first MiB");
	if (!vm_memory(vm, h->pref_address, h->init_size) ||
	    !load_place(vm, load_address(h), (const uint8_t *)kernel->data + setup, kernel->size - setup, 0))
		return load_refuse("the VM has too little memory for it");
	return true;
}

static bool place_initrd(struct guest_vm *vm, const struct load_image *image, struct setup_header *h)
{
	const struct load_file *initrd = &image->file[1];
	uint64_t end = rt_min(vm->ram_size, (uint64_t)h->initrd_addr_max + 1), at;

	if (image->files < 2)
		return true;
	at = (end - rt_min(end, initrd->size)) & -RT_PAGE;
	if (at < h->pref_address + h->init_size || !load_place(vm, at, initrd->data, initrd->size, 0))
		return load_refuse("the VM has too little memory for its initrd");
	h->ramdisk_image = (uint32_t)at;
	h->ramdisk_size = (uint32_t)initrd->size;
	return true;
}

static bool place_params(struct guest_vm *vm, const char *words, struct setup_header *h)
{
	size_t length = strlen(words) + 1;
	struct boot_params *p = vm_memory(vm, PARAMS_AT, sizeof(*p));

	if (length > h->cmdline_size + 1ul || length > LOAD_LOW_END - WORDS_AT)
		return load_refuse("its command line is too long");
	if (!p || !load_place(vm, WORDS_AT, words, length, 0))
		return load_refuse("the VM has too little memory for it");
	h->type_of_loader = LOADER_UNKNOWN;
	h->cmd_line_ptr = WORDS_AT;
	h->code32_start = (uint32_t)load_address(h);
	memset(p, 0, sizeof(*p));
	p->header = *h;
	p->e820[0] = (struct e820_entry){0, LOAD_LOW_END, E820_RAM};
	p->e820[1] = (struct e820_entry){LOAD_HIGH_START, vm->ram_size - LOAD_HIGH_START, E820_RAM};
	p->e820[2] = (struct e820_entry){ACPI_TABLES_AT, ACPI_TABLES_SIZE, E820_ACPI};
	p->e820_entries = 3;
	p->acpi = ACPI_TABLES_AT;
	load_tables(vm);
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

bool load_linux(struct guest_vm *vm, const struct load_image *image)
{
	const struct load_file *kernel = &image->file[0];
	struct setup_header h;
	bool is_64;

	if (!read_header(&h, kernel) || !place_kernel(vm, kernel, &h) || !place_initrd(vm, image, &h) ||
	    !place_params(vm, kernel->words, &h))
		return false;
	is_64 = h.xloadflags & XLF_KERNEL_64;
	if (is_64)
		place_tables(vm);
	load_processor(vm, load_address(&h) + (is_64 ? ENTRY_64 : 0), is_64 ? TABLES_AT : 0);
	vm->cpu[0].s->rsi = PARAMS_AT;
	vm->cpu[0].s->rsp = PARAMS_AT; /* the kernel makes its own stack at once */
	return true;
}
