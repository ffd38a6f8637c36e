/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vmx/vmx.h"

#include "arch/switch.h"
#include "core/vcpu.h"
#include "mm/page.h"
#include "platform/console.h"
#include "platform/panic.h"
#include "vmx/vmcs.h"
#include "vmx/vmx_common.h"
#include "vmx/vmx_run.h"
#include "vmx/vmx_vcpu.h"

#include <hedron/hip.h>

struct vmx vmx;

#define LEAF1_ECX_VMX (1u << 5)
#define LEAF7_EDX_SPEC_CTRL (1u << 26 | 1u << 27 | 1u << 31) /* IBRS, STIBP, SSBD */
#define LEAF7_ECX_RDPID (1u << 22)
#define EXT1_EDX_RDTSCP (1u << 27)

#define FEATURE_LOCKED (1u << 0)
#define FEATURE_VMX (1u << 2) /* outside of SMX */

/* Capability MSRs, SDM vol. 3, appendix A. */
#define MSR_VMX_BASIC 0x480
#define MSR_VMX_PIN 0x481
#define MSR_VMX_PRIMARY 0x482
#define MSR_VMX_EXIT 0x483
#define MSR_VMX_ENTRY 0x484
#define MSR_VMX_MISC 0x485
#define MSR_VMX_CR0_FIXED0 0x486
#define MSR_VMX_CR0_FIXED1 0x487
#define MSR_VMX_CR4_FIXED0 0x488
#define MSR_VMX_CR4_FIXED1 0x489
#define MSR_VMX_SECONDARY 0x48b
#define MSR_VMX_EPT 0x48c
#define MSR_VMX_TRUE (0x48d - MSR_VMX_PIN) /* from a control's MSR to its TRUE_* MSR */

#define BASIC_TRUE (1ull << 55)
#define MISC_TIMER_SHIFT 0x1fu
#define MISC_WAIT_SIPI (1u << 8)
#define EPT_FOUR_LEVELS (1ull << 6)
#define EPT_WRITE_BACK (1ull << 14)
#define EPT_2M (1ull << 16)
#define EPT_1G (1ull << 17)
#define EPT_INVEPT (1ull << 20)
#define EPT_INVEPT_SINGLE (1ull << 25)
#define EPT_INVVPID (1ull << 32)
#define EPT_INVVPID_SINGLE (1ull << 41)

/* What VMMs may turn on: all that needs no memory of the kernel's and affects nothing but the guest. */
#define PRIMARY_OFFERED (~(u32)PRI_TERTIARY)
#define SECONDARY_OFFERED                                                                                 \
	(SEC_VIRTUAL_APIC | SEC_EPT | SEC_DESCRIPTORS | SEC_RDTSCP | SEC_X2APIC | SEC_VPID | SEC_WBINVD | \
	 SEC_UNRESTRICTED | SEC_APIC_REGISTERS | SEC_VIRTUAL_INTERRUPTS | SEC_PAUSE_LOOP | SEC_RDRAND |   \
	 SEC_INVPCID | SEC_RDSEED | SEC_XSAVES | SEC_USER_WAIT)

/*
 * Bits of CR4 that a guest may have: the state that they switch on is the guest's alone, or is switched by the
 * kernel. Not so with PKE (PKRU), KL (a key), CET, LA57, and bits that are to come. These are bits 0..11, 13,
 * 14, 16..18, 20 and 21.
 */
#define CR4_OFFERED 0x376ffful

#define PIN_NEEDED (PIN_NMI | PIN_VIRTUAL_NMI | PIN_TIMER)
#define PRIMARY_NEEDED (PRI_HLT | PRI_IO_ALL | PRI_MSR_BITMAPS | PRI_SECONDARY)
#define SECONDARY_NEEDED (SEC_EPT | SEC_UNRESTRICTED)
#define EXIT_NEEDED                                                                                         \
	(EXIT_SAVE_DEBUG | EXIT_HOST_64 | EXIT_SAVE_PAT | EXIT_LOAD_PAT | EXIT_SAVE_EFER | EXIT_LOAD_EFER | \
	 EXIT_SAVE_TIMER)
#define ENTRY_NEEDED (ENTRY_LOAD_DEBUG | ENTRY_LOAD_PAT | ENTRY_LOAD_EFER)
#define EPT_NEEDED (EPT_FOUR_LEVELS | EPT_WRITE_BACK | EPT_2M | EPT_INVEPT | EPT_INVEPT_SINGLE)

static struct vmx_cpu {
	u32 *region; /* for VMXON; heap page */
	struct list active;
	u64 spec_ctrl;  /* as it was found, and is outside of guests */
	struct vmx own; /* what this CPU has, once it was started */
	bool started;   /* once */
} cpus[HEDRON_CPU_MAX];

static struct vmx_control control(u32 msr, bool all)
{
	u64 v = msr_read(all ? msr + MSR_VMX_TRUE : msr);
	return (struct vmx_control){(u32)v, (u32)(v >> 32)};
}

/* False: firmware has locked VMX off. If it has locked nothing, VMX is switched on and locked here. */
static bool firmware_allows(void)
{
	u64 v;
	if (!msr_read_safe(MSR_FEATURE_CONTROL, &v))
		return false;
	if (!(v & FEATURE_LOCKED) && !msr_write_safe(MSR_FEATURE_CONTROL, v | FEATURE_LOCKED | FEATURE_VMX))
		return false;
	return (msr_read(MSR_FEATURE_CONTROL) & (FEATURE_LOCKED | FEATURE_VMX)) == (FEATURE_LOCKED | FEATURE_VMX);
}

static bool has(u64 may, u64 needed)
{
	return (may & needed) == needed;
}

static void read_controls(struct vmx *x)
{
	u64 basic = msr_read(MSR_VMX_BASIC);
	bool all = basic & BASIC_TRUE;

	x->revision = (u32)basic & 0x7fffffff;
	x->pin = control(MSR_VMX_PIN, all);
	x->primary = control(MSR_VMX_PRIMARY, all);
	x->exit = control(MSR_VMX_EXIT, all);
	x->entry = control(MSR_VMX_ENTRY, all);
	if (x->primary.may & PRI_SECONDARY)
		x->secondary = control(MSR_VMX_SECONDARY, false);
	x->ept_caps = x->secondary.may & SEC_EPT ? msr_read(MSR_VMX_EPT) : 0;
}

/*
 * PE and PG are free with unrestricted guests: SDM vol. 3, A.7 and 27.3.1.1. Guests cannot switch caches off, nor
 * machine checks.
 */
static void read_fixed_bits(struct vmx *x)
{
	x->cr0_must = msr_read(MSR_VMX_CR0_FIXED0) & ~(CR0_PE | CR0_PG);
	x->cr0_may = msr_read(MSR_VMX_CR0_FIXED1) & ~(CR0_CD | CR0_NW);
	x->cr4_may = msr_read(MSR_VMX_CR4_FIXED1) & CR4_OFFERED;
	x->cr4_must = msr_read(MSR_VMX_CR4_FIXED0) | (x->cr4_may & CR4_MCE);
}

/*
 * ---- L1 terminal fault (CVE-2018-3646) ----
 *
 * On some processors a guest reads speculatively whatever the data cache of its core holds, by page-table entries of
 * its own that are not present. There the cache is emptied before the guest goes on after others than the kernel had
 * the CPU (vmx_switch.c). Manual: SDM vol. 4, IA32_FLUSH_CMD, IA32_ARCH_CAPABILITIES.
 */

#define LEAF7_EDX_L1D_FLUSH (1u << 28)
#define LEAF7_EDX_ARCH_CAPABILITIES (1u << 29)
#define CAPABILITY_RDCL_NO (1u << 0)
#define CAPABILITY_SKIP_FLUSH (1u << 3) /* a hypervisor below us does it */

/* Family 6, from Nehalem to Coffee Lake: those of them that are sound say RDCL_NO. */
static bool l1tf_model_may_leak(u32 signature)
{
	static const u8 models[] = {0x1a, 0x1e, 0x1f, 0x2e, 0x25, 0x2c, 0x2f, 0x2a, 0x2d, 0x3a, 0x3e, 0x3c, 0x3f,
				    0x45, 0x46, 0x3d, 0x47, 0x4f, 0x56, 0x4e, 0x5e, 0x55, 0x66, 0x8e, 0x9e};
	u32 model = (signature >> 4 & 0xf) | (signature >> 12 & 0xf0);

	if ((signature >> 8 & 0xf) != 6)
		return false;
	for (unsigned i = 0; i < array_size(models); i++)
		if (models[i] == model)
			return true;
	return false;
}

static u32 leaf7_edx(void)
{
	return cpuid(0, 0).eax >= 7 ? cpuid(7, 0).edx : 0;
}

static bool l1tf_leaks(void)
{
	u64 capabilities = 0;

	if (!l1tf_model_may_leak(cpuid(1, 0).eax))
		return false;
	if (leaf7_edx() & LEAF7_EDX_ARCH_CAPABILITIES)
		(void)!msr_read_safe(MSR_ARCH_CAPABILITIES, &capabilities);
	return !(capabilities & (CAPABILITY_RDCL_NO | CAPABILITY_SKIP_FLUSH));
}

static bool l1tf_can_flush(void)
{
	return leaf7_edx() & LEAF7_EDX_L1D_FLUSH;
}

/* ---- what a CPU has ---- */

/* NULL, or what this CPU lacks. */
static const char *detect(struct vmx *x, bool allow_vpid)
{
	if (!(cpuid(1, 0).ecx & LEAF1_ECX_VMX))
		return "the CPU has none";
	if (!firmware_allows())
		return "switched off by firmware";
	read_controls(x);
	if (!has(x->pin.may, PIN_NEEDED))
		return "no virtual NMIs or no preemption timer";
	if (!has(x->primary.may, PRIMARY_NEEDED))
		return "no MSR bitmaps or no secondary controls";
	if (!has(x->secondary.may, SECONDARY_NEEDED))
		return "no nested pages or no unrestricted guests";
	if (!has(x->exit.may, EXIT_NEEDED) || !has(x->entry.may, ENTRY_NEEDED))
		return "PAT, EFER or timer are not switched";
	if (!has(x->ept_caps, EPT_NEEDED))
		return "nested pages lack four levels, write-back, 2 MiB leaves or INVEPT";
	read_fixed_bits(x);
	x->primary.may &= PRIMARY_OFFERED;
	x->secondary.may &= SECONDARY_OFFERED;
	x->vpid = allow_vpid && has(x->secondary.may, SEC_VPID) && has(x->ept_caps, EPT_INVVPID | EPT_INVVPID_SINGLE);
	if (!x->vpid)
		x->secondary.may &= ~SEC_VPID;
	u64 misc = msr_read(MSR_VMX_MISC);
	x->timer_shift = misc & MISC_TIMER_SHIFT;
	x->wait_sipi = misc & MISC_WAIT_SIPI;
	struct cpuid l7 = cpuid(0, 0).eax >= 7 ? cpuid(7, 0) : (struct cpuid){0};
	x->spec_ctrl = l7.edx & LEAF7_EDX_SPEC_CTRL;
	x->tsc_aux = cpuid(0x80000001, 0).edx & EXT1_EDX_RDTSCP || l7.ecx & LEAF7_ECX_RDPID;
	x->l1_leaks = l1tf_leaks();
	x->l1_can_flush = l1tf_can_flush();
	return NULL;
}

/* ---- the boot CPU, and all others ---- */

static bool always_flush;

static void init(bool allow_vpid, bool l1_flush)
{
	const char *lacking = detect(&vmx, allow_vpid);

	always_flush = l1_flush;
	vmx.usable = !lacking && vmx_init_msr_bitmaps() == SUCCESS;
	if (!vmx.usable)
		log_info("VMX: %s", lacking ? lacking : "no memory");
}

static void prepare_cpu(unsigned n)
{
	struct vmx_cpu *c = &cpus[n];

	list_init(&c->active);
	if (!vmx.usable)
		return;
	c->region = page_alloc_zeroed();
	if (!c->region)
		vmx.usable = false;
}

/* NULL, or what is in the way of VMX on this CPU: for the first time, whatever it has is entered in *c; after sleep
 * it has to have what was common then. */
static const char *check_cpu(struct vmx_cpu *c)
{
	struct vmx mine = {0};
	const char *lacking = detect(&mine, vmx.vpid);

	if (lacking)
		return lacking;
	if (mine.revision != vmx.revision)
		return "another format of the VMCS";
	if (!c->started)
		c->own = mine;
	return c->started && !vmx_common_covers(&mine, &vmx) ? "less than before sleep" : NULL;
}

static bool vmxon(u32 *region)
{
	u64 pa = heap_phys(region).v;
	bool ok;

	*region = vmx.revision;
	cr4_write(cr4_read() | CR4_VMXE);
	__asm__ volatile("vmxon %1\n\tseta %0" : "=qm"(ok) : "m"(pa) : "cc", "memory");
	if (!ok)
		cr4_write(cr4_read() & ~CR4_VMXE);
	return ok;
}

/* Protection that firmware has switched on in SPEC_CTRL stays on; after sleep it is switched on again. */
static void keep_spec_ctrl(struct vmx_cpu *c)
{
	if (c->started)
		(void)!msr_write_safe(MSR_SPEC_CTRL, c->spec_ctrl);
	else if (!msr_read_safe(MSR_SPEC_CTRL, &c->spec_ctrl))
		c->spec_ctrl = 0;
	if (!c->spec_ctrl)
		return;
	vmx_hide_spec_ctrl();
	vmx_exit_hide_spec_ctrl();
}

/* If the CPU lacks something, vmx.usable is cleared. */
static void start_cpu(struct cpu *cpu)
{
	struct vmx_cpu *c = &cpus[cpu->id];

	if (!vmx.usable)
		return;
	const char *lacking = check_cpu(c);
	if (!lacking && !vmxon(c->region))
		lacking = "VMXON fails";
	if (lacking) {
		log_warn("VMX: off for all, because of CPU %u: %s", cpu->id, lacking);
		vmx.usable = false;
		return;
	}
	if (vmx.spec_ctrl)
		keep_spec_ctrl(c);
	c->started = true;
}

static void stop_cpu(struct cpu *cpu)
{
	if (!(cr4_read() & CR4_VMXE))
		return;
	vmx_forget_all(cpu);
	__asm__ volatile("vmxoff" : : : "cc");
	cr4_write(cr4_read() & ~CR4_VMXE);
}

static void find_common(void)
{
	struct vmx common = vmx;

	for (unsigned n = 0; n < cpu_count && vmx.usable; n++) {
		const char *differs = cpus[n].started ? vmx_common_merge(&common, &cpus[n].own) : NULL;
		if (!differs)
			continue;
		log_warn("VMX: off for all, because CPU %u differs in %s", n, differs);
		vmx.usable = common.usable = false;
	}
	if (!vmx_common_covers(&vmx, &common) || !vmx_common_covers(&common, &vmx))
		log_info("VMX: the CPUs differ, what all of them have is used");
	vmx = common;
	vmx.l1_flush = vmx.l1_can_flush && (always_flush || vmx.l1_leaks);
	space_mem_guest_leaf_max = vmx.ept_caps & EPT_1G ? 2 : 1;
}

static void announce(struct hip *hip)
{
	if (vmx.usable)
		find_common();
	if (!vmx.usable)
		return;
	log_info("VMX: nested pages%s%s, VPID %s%s", vmx.ept_caps & EPT_1G ? " up to 1 GiB" : "",
		 vmx.secondary.may & SEC_VIRTUAL_INTERRUPTS ? ", virtual interrupts" : "", vmx.vpid ? "on" : "off",
		 vmx.l1_flush ? ", L1 flushed for each run" : "");
	hip->api_flg |= HIP_FEATURE_VMX | HIP_EXT_VCPU_PARTIAL;
	hip->cap_vmx_sec_exec = (u64)vmx.secondary.may << 32 | vmx.secondary.must | SECONDARY_NEEDED;
}

const struct virt vmx_virt = {
	.init = init,
	.prepare_cpu = prepare_cpu,
	.start_cpu = start_cpu,
	.stop_cpu = stop_cpu,
	.announce = announce,
};

struct list *vmx_active(const struct cpu *cpu)
{
	return &cpus[cpu->id].active;
}

u64 vmx_host_spec_ctrl(const struct cpu *cpu)
{
	return cpus[cpu->id].spec_ctrl;
}

bool arch_vcpu_supported(void)
{
	return vmx.usable;
}
