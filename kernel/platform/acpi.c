/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "platform/acpi.h"

#include "lib/bits.h"
#include "lib/string.h"
#include "platform/console.h"
#include "platform/phys.h"

/* A longer table is taken for damaged: none that is read here comes near this, and it bounds the time that a wrong
 * length can cost. */
#define TABLE_SIZE_MAX (1 * MiB)

struct rsdp {
	char signature[8];
	u8 checksum, oem[6], revision;
	u32 rsdt;
	/* from revision 2 on */
	u32 length;
	u64 xsdt;
	u8 checksum2, reserved[3];
} packed;

#define RSDP_SIZE_V0 20

struct header {
	char signature[4];
	u32 length; /* with this header */
	u8 revision, checksum;
	char oem[6], oem_table[8];
	u32 oem_revision, creator, creator_revision;
};

/* A table whose length makes sense. */
struct table {
	u64 pa;
	u32 length;
	bool damaged; /* its checksum is wrong */
};

/* FADT, up to the last field we use. Older tables end earlier: what is missing reads as 0. */
struct fadt {
	struct header header;
	u32 facs, dsdt;
	u8 unused1[20];
	u32 pm1a_cnt, pm1b_cnt, unused2, pm_tmr;
	u8 unused3[9], pm1_cnt_len, unused4, pm_tmr_len, unused5[20];
	u32 flags;
	struct hip_gas reset;
	u8 reset_value, unused6[3];
	u64 x_facs, x_dsdt;
	u8 unused7[24];
	struct hip_gas x_pm1a_cnt, x_pm1b_cnt, x_unused, x_pm_tmr;
} packed;

#define FADT_TMR_VAL_EXT (1u << 8) /* the timer has 32 bits, not 24 */
#define FADT_RESET_REG (1u << 10)  /* there is a reset register */

#define FACS_SIZE 64
#define FADT_SIZE_MIN 90 /* up to pm1_cnt_len */
#define FADT_SIZE_X 236  /* tables of this length have all extended blocks that matter */

struct madt_entry {
	u8 type, length;
};

struct madt_lapic {
	u8 type, length, acpi_id, apic_id;
	u32 flags;
};

struct madt_x2apic {
	u8 type, length;
	u16 reserved;
	u32 apic_id, flags, acpi_id;
};

struct madt_ioapic {
	u8 type, length, id, reserved;
	u32 address, first;
};

struct madt_override {
	u8 type, length, bus, source;
	u32 number;
	u16 flags;
} packed;

enum { MADT_LAPIC = 0, MADT_IOAPIC = 1, MADT_OVERRIDE = 2, MADT_X2APIC = 9, MADT_CPU_ENABLED = 1 };

struct hpet {
	struct header header;
	u32 id;
	struct hip_gas base;
} packed;

#define MADT_ENTRIES 44 /* where they start */
#define MCFG_ENTRIES 44

struct mcfg_entry {
	u64 base;
	u16 segment;
	u8 start_bus, end_bus;
	u32 reserved;
};

_Static_assert(sizeof(struct rsdp) == 36 && sizeof(struct header) == 36, "as in the ACPI specification");
_Static_assert(offsetof(struct fadt, pm1a_cnt) == 64, "as in the ACPI specification");
_Static_assert(offsetof(struct fadt, pm1_cnt_len) == FADT_SIZE_MIN - 1, "as in the ACPI specification");
_Static_assert(offsetof(struct fadt, pm_tmr) == 76, "as in the ACPI specification");
_Static_assert(offsetof(struct fadt, flags) == 112, "as in the ACPI specification");
_Static_assert(offsetof(struct fadt, reset) == 116, "as in the ACPI specification");
_Static_assert(offsetof(struct fadt, x_facs) == 132, "as in the ACPI specification");
_Static_assert(offsetof(struct fadt, x_pm1a_cnt) == 172, "as in the ACPI specification");
_Static_assert(offsetof(struct fadt, x_pm_tmr) == 208, "as in the ACPI specification");
_Static_assert(offsetof(struct hpet, base) == 40, "as in the HPET specification");

static u8 sum(const void *data, size_t size)
{
	u8 s = 0;

	for (const u8 *p = data; size--; p++)
		s = (u8)(s + *p);
	return s;
}

/* Checks the RSDP in the `size` bytes at r and copies it. Without a valid second part, xsdt is 0. */
static bool check_rsdp(const void *r, size_t size, struct rsdp *out)
{
	if (size < RSDP_SIZE_V0 || memcmp(r, "RSD PTR ", 8) || sum(r, RSDP_SIZE_V0))
		return false;

	*out = (struct rsdp){0};
	memcpy(out, r, min_u64(size, sizeof(*out)));
	bool extended =
		out->revision >= 2 && out->length >= sizeof(*out) && out->length <= size && !sum(r, out->length);
	if (!extended)
		out->xsdt = 0;
	return true;
}

/* Looks for an RSDP at every multiple of 16 bytes in [pa, pa + size). */
static bool scan_rsdp(u64 pa, u64 size, struct rsdp *out)
{
	for (u64 end = pa + size; pa < end; pa += 16) {
		struct rsdp r;
		if (!phys_read(pa, &r, RSDP_SIZE_V0) || sum(&r, RSDP_SIZE_V0))
			continue;
		size_t have = r.revision >= 2 && phys_read(pa, &r, sizeof(r)) ? sizeof(r) : RSDP_SIZE_V0;
		if (check_rsdp(&r, have, out))
			return true;
	}
	return false;
}

static bool find_rsdp(const struct boot_info *boot, struct rsdp *out)
{
	u16 segment;

	if (boot->rsdp_size && check_rsdp(boot->rsdp, boot->rsdp_size, out))
		return true;
	if (boot->rsdp_size)
		log_warn("acpi: the boot loader's RSDP is damaged");

	/* The first KiB of the extended BIOS data area, then the BIOS itself. */
	if (phys_read(0x40e, &segment, sizeof(segment)) && segment >= 0x40 && segment < 0xa000 &&
	    scan_rsdp((u64)segment << 4, 1 * KiB, out))
		return true;
	return scan_rsdp(0xe0000, 0x20000, out);
}

static void keep(u64 pa, u64 size, struct acpi_info *out)
{
	for (u32 i = 0; i < out->kept_count; i++)
		if (out->kept[i].addr == pa)
			return;
	if (out->kept_count < ACPI_KEPT_MAX)
		out->kept[out->kept_count++] = (struct range){pa, size};
	else
		log_warn("acpi: more than %u tables, the memory of that at %#lx is not kept", ACPI_KEPT_MAX, pa);
}

/* A wrong checksum is the caller's affair. */
static bool check_table(u64 pa, const struct header *h, struct acpi_info *info, struct table *out)
{
	u8 s = 0;

	if (h->length < sizeof(*h) || h->length > TABLE_SIZE_MAX) {
		log_warn("acpi: %.4s at %#lx has the length %u, ignored", h->signature, pa, h->length);
		return false;
	}
	if (!phys_sum(pa, h->length, &s)) {
		log_warn("acpi: %.4s at %#lx cannot be read, ignored", h->signature, pa);
		return false;
	}
	if (s)
		log_warn("acpi: %.4s at %#lx has a wrong checksum", h->signature, pa);
	*out = (struct table){pa, h->length, s};
	keep(pa, h->length, info);
	return true;
}

static void read_fadt_facs(const struct fadt *fadt, struct acpi_info *out)
{
	u64 pa = fadt->x_facs ? fadt->x_facs : fadt->facs;
	struct {
		char signature[4];
		u32 length;
	} facs;

	if (!pa)
		return;
	if (!phys_read(pa, &facs, sizeof(facs)) || memcmp(facs.signature, "FACS", 4) || facs.length < FACS_SIZE)
		log_warn("acpi: no FACS at %#lx", pa);
	else {
		out->facs = pa;
		keep(pa, FACS_SIZE, out);
	}
}

/* A DSDT or SSDT: both are AML. */
static void read_definitions(const struct table *t, struct acpi_info *out)
{
	sleep_find_s3(t->pa, t->length, &out->s3);
}

static void read_dsdt(const struct fadt *fadt, struct acpi_info *out)
{
	u64 pa = fadt->x_dsdt ? fadt->x_dsdt : fadt->dsdt;
	struct header h;
	struct table t;

	if (!pa)
		return;
	if (!phys_read(pa, &h, sizeof(h)) || memcmp(h.signature, "DSDT", 4))
		log_warn("acpi: no DSDT at %#lx", pa);
	else if (check_table(pa, &h, out, &t))
		read_definitions(&t, out);
}

/* A register block: the extended description if it says something, else the old port number. */
static struct hip_gas pick_block(const struct hip_gas *x, u32 port, u8 length)
{
	if (x->addr && x->bits)
		return (struct hip_gas){.space = x->space, .bits = x->bits, .addr = x->addr};
	if (port)
		return (struct hip_gas){.space = HIP_GAS_PORTS, .bits = (u8)(8 * length), .addr = port};
	return (struct hip_gas){0};
}

/* Firmware has it in ports; one in memory is left out. */
static void read_pm_timer(const struct fadt *fadt, struct acpi_info *out)
{
	struct hip_gas block = pick_block(&fadt->x_pm_tmr, fadt->pm_tmr, fadt->pm_tmr_len);

	if (block.space != HIP_GAS_PORTS || block.bits < 32 || !block.addr || block.addr > 0xfffc)
		return;
	out->pm_timer = (u16)block.addr;
	out->pm_timer_bits = fadt->flags & FADT_TMR_VAL_EXT ? 32 : 24;
}

static void read_fadt(const struct table *t, struct acpi_info *out)
{
	struct fadt fadt = {0};

	if (t->length < FADT_SIZE_MIN || !phys_read(t->pa, &fadt, min_u64(t->length, sizeof(fadt)))) {
		log_warn("acpi: FADT of %u bytes is too short", t->length);
		return;
	}
	if (t->length < FADT_SIZE_X)
		fadt.x_pm1a_cnt = fadt.x_pm1b_cnt = fadt.x_pm_tmr = (struct hip_gas){0};
	out->pm1a_cnt = pick_block(&fadt.x_pm1a_cnt, fadt.pm1a_cnt, fadt.pm1_cnt_len);
	out->pm1b_cnt = pick_block(&fadt.x_pm1b_cnt, fadt.pm1b_cnt, fadt.pm1_cnt_len);
	if (fadt.flags & FADT_RESET_REG && t->length > offsetof(struct fadt, reset_value)) {
		out->reset = fadt.reset;
		out->reset_value = fadt.reset_value;
	}
	read_pm_timer(&fadt, out);
	read_fadt_facs(&fadt, out);
	read_dsdt(&fadt, out);
}

static bool has_apic(const struct acpi_info *out, u32 apic_id)
{
	for (u32 i = 0; i < out->cpu_count; i++)
		if (out->cpu[i].apic_id == apic_id)
			return true;
	return false;
}

/* Some firmware lists a CPU in both formats: the first entry counts. The boot CPU always has a place. Returns how
 * many CPUs found no room. */
static u32 add_cpu(struct acpi_info *out, u32 acpi_id, u32 apic_id, u32 flags)
{
	if (!(flags & MADT_CPU_ENABLED) || has_apic(out, apic_id))
		return 0;
	if (out->cpu_count < HEDRON_CPU_MAX) {
		out->cpu[out->cpu_count++] = (struct acpi_cpu){acpi_id, apic_id};
		return 0;
	}
	if (apic_id == out->self)
		out->cpu[HEDRON_CPU_MAX - 1] = (struct acpi_cpu){acpi_id, apic_id};
	return 1;
}

static void read_madt_line(u64 pa, const struct madt_entry *e, struct irq_map *map)
{
	struct madt_ioapic chip;
	struct madt_override o;

	if (e->type == MADT_IOAPIC && e->length >= sizeof(chip) && phys_read(pa, &chip, sizeof(chip)) &&
	    !irq_map_add_chip(map, chip.address, chip.first))
		log_warn("acpi: the I/O APIC at %#x is not used", chip.address);
	if (e->type == MADT_OVERRIDE && e->length >= sizeof(o) && phys_read(pa, &o, sizeof(o)) &&
	    !irq_map_override(map, o.bus, o.source, o.number, o.flags))
		log_warn("acpi: the override of interrupt %u is ignored", o.source);
}

static u32 read_madt_entry(u64 pa, const struct madt_entry *e, struct acpi_info *out)
{
	struct madt_lapic l;
	struct madt_x2apic x;

	if (e->type == MADT_LAPIC && e->length >= sizeof(l) && phys_read(pa, &l, sizeof(l)) && l.apic_id != 0xff)
		return add_cpu(out, l.acpi_id, l.apic_id, l.flags);
	if (e->type == MADT_X2APIC && e->length >= sizeof(x) && phys_read(pa, &x, sizeof(x)) && x.apic_id != ~0u)
		return add_cpu(out, x.acpi_id, x.apic_id, x.flags);
	return 0;
}

static void read_madt(const struct table *t, struct acpi_info *out)
{
	struct madt_entry e;
	u32 left_out = 0;

	for (u32 at = MADT_ENTRIES; at + sizeof(e) <= t->length; at += e.length) {
		if (!phys_read(t->pa + at, &e, sizeof(e)) || e.length < sizeof(e) || e.length > t->length - at) {
			log_warn("acpi: MADT is damaged at byte %u", at);
			break;
		}
		left_out += read_madt_entry(t->pa + at, &e, out);
		read_madt_line(t->pa + at, &e, &out->irq);
	}
	if (left_out)
		log_warn("acpi: %u CPUs beyond the first %u are not used", left_out, HEDRON_CPU_MAX);
}

static void read_mcfg(const struct table *t, struct acpi_info *out)
{
	struct mcfg_entry e;

	for (u32 at = MCFG_ENTRIES; at + sizeof(e) <= t->length; at += sizeof(e)) {
		if (!phys_read(t->pa + at, &e, sizeof(e)))
			break;
		if (e.segment || e.end_bus < e.start_bus)
			continue;
		out->mcfg_base = e.base;
		out->mcfg_size = (e.end_bus - e.start_bus + 1) * MiB;
		return;
	}
}

static void read_hpet(const struct table *t, struct acpi_info *out)
{
	struct hpet hpet;

	if (t->length >= sizeof(hpet) && phys_read(t->pa, &hpet, sizeof(hpet)) && hpet.base.space == HIP_GAS_MEMORY)
		out->hpet = hpet.base.addr;
}

static void read_dmar(const struct table *t, struct acpi_info *out)
{
	out->dmar = t->pa;
}

static void read_spcr(const struct table *t, struct acpi_info *out)
{
	serial_table_spcr(t->pa, t->length, &out->spcr);
}

static void read_dbg2(const struct table *t, struct acpi_info *out)
{
	serial_table_dbg2(t->pa, t->length, &out->dbg2);
}

static const struct reader {
	char signature[5];
	void (*read)(const struct table *t, struct acpi_info *out);
} readers[] = {{"APIC", read_madt}, {"FACP", read_fadt}, {"MCFG", read_mcfg}, {"DMAR", read_dmar},
	       {"HPET", read_hpet}, {"SPCR", read_spcr}, {"DBG2", read_dbg2}};

/* What is known of each kind of table: the first one with a right checksum counts, or, if there is none, the first.
 */
struct kinds {
	u32 done; /* a bit for each reader */
	struct table damaged[array_size(readers)];
};

static void read_table(u64 pa, struct kinds *kinds, struct acpi_info *out)
{
	struct header h;
	struct table t;

	if (!phys_read(pa, &h, sizeof(h)))
		return;
	if (!memcmp(h.signature, "SSDT", 4) && check_table(pa, &h, out, &t))
		read_definitions(&t, out); /* there may be many */
	for (u32 i = 0; i < array_size(readers); i++) {
		struct table *damaged = &kinds->damaged[i];
		if (kinds->done & bit(i) || memcmp(h.signature, readers[i].signature, 4) ||
		    !check_table(pa, &h, out, &t))
			continue;
		if (t.damaged) {
			*damaged = damaged->pa ? *damaged : t;
			continue;
		}
		kinds->done |= (u32)bit(i);
		readers[i].read(&t, out);
	}
}

static bool open_root(u64 pa, const char *signature, struct acpi_info *info, struct table *out)
{
	struct header h;

	if (!pa)
		return false;
	if (!phys_read(pa, &h, sizeof(h)) || memcmp(h.signature, signature, 4)) {
		log_warn("acpi: no %s at %#lx", signature, pa);
		return false;
	}
	return check_table(pa, &h, info, out);
}

/* The XSDT, unless only the RSDT has a right checksum. */
static bool pick_root(const struct rsdp *rsdp, struct acpi_info *info, struct table *root, u32 *entry_size)
{
	struct table x, r;
	bool has_x = open_root(rsdp->xsdt, "XSDT", info, &x);
	bool has_r = (!has_x || x.damaged) && open_root(rsdp->rsdt, "RSDT", info, &r);
	bool old = has_r && (!has_x || !r.damaged);

	if (!has_x && !has_r)
		return false;
	*root = old ? r : x;
	*entry_size = old ? 4 : 8;
	return true;
}

static void read_root(const struct table *root, u32 entry_size, struct acpi_info *out)
{
	struct kinds kinds = {0};

	for (u32 at = sizeof(struct header); at + entry_size <= root->length; at += entry_size) {
		u64 pa = 0;
		if (phys_read(root->pa + at, &pa, entry_size) && pa)
			read_table(pa, &kinds, out);
	}
	for (u32 i = 0; i < array_size(readers); i++)
		if (!(kinds.done & bit(i)) && kinds.damaged[i].pa)
			readers[i].read(&kinds.damaged[i], out);
}

bool acpi_parse(const struct boot_info *boot, u32 self, struct acpi_info *out)
{
	struct rsdp rsdp;
	struct table root;
	u32 entry_size;

	*out = (struct acpi_info){.self = self};
	irq_map_init(&out->irq);
	if (!find_rsdp(boot, &rsdp)) {
		log_warn("acpi: no RSDP found");
		return false;
	}
	if (!pick_root(&rsdp, out, &root, &entry_size))
		return false;

	out->root = root.pa;
	read_root(&root, entry_size, out);
	return true;
}
