/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "svm/svm.h"

#include "arch/switch.h"
#include "core/vcpu.h"
#include "mm/page.h"
#include "platform/console.h"
#include "svm/svm_nmi.h"
#include "svm/svm_run.h"
#include "svm/svm_timer.h"
#include "svm/svm_vcpu.h"

#include <hedron/hip.h>

struct svm svm;

#define LEAF_SVM 0x8000000a
#define EXT1_ECX_SVM (1u << 2)
#define EXT1_EDX_RDTSCP (1u << 27)
#define EXT8_EBX_SPEC_CTRL (1u << 14 | 1u << 15 | 1u << 24) /* IBRS, STIBP, SSBD */
#define SVM_EDX_NESTED_PAGING (1u << 0)
#define SVM_EDX_NEXT_RIP (1u << 3)
#define SVM_EDX_DECODES (1u << 7)

#define EFER_SVME (1u << 12)
#define MSR_VM_CR 0xc0010114
#define MSR_VM_HSAVE_PA 0xc0010117
#define VM_CR_DISABLED (1u << 4)

/* Besides the host's, one for the vCPU and one for the halted guest. */
#define ASIDS_MIN 3

static struct svm_cpu cpus[HEDRON_CPU_MAX];

struct svm_cpu *svm_cpu(const struct cpu *cpu)
{
	return &cpus[cpu->id];
}

/* Not all processors have the MSR; those without cannot be locked. APM vol. 2, 15.30.1. */
static bool firmware_allows(void)
{
	u64 vm_cr;
	return !msr_read_safe(MSR_VM_CR, &vm_cr) || !(vm_cr & VM_CR_DISABLED);
}

/* NULL, or what this CPU lacks. */
static const char *detect(struct svm *x)
{
	if (cpuid(0x80000000, 0).eax < LEAF_SVM || !(cpuid(0x80000001, 0).ecx & EXT1_ECX_SVM))
		return "the CPU has none";
	if (!firmware_allows())
		return "switched off by firmware";
	struct cpuid l = cpuid(LEAF_SVM, 0);
	if (!(l.edx & SVM_EDX_NESTED_PAGING))
		return "no nested pages";
	if (l.ebx < ASIDS_MIN)
		return "too few address space identifiers";
	x->asids = l.ebx;
	x->next_rip = l.edx & SVM_EDX_NEXT_RIP;
	x->decodes = l.edx & SVM_EDX_DECODES;
	x->spec_ctrl = cpuid(0x80000008, 0).ebx & EXT8_EBX_SPEC_CTRL;
	x->tsc_aux = cpuid(0x80000001, 0).edx & EXT1_EDX_RDTSCP;
	return NULL;
}

/* ASIDs are always used: they cannot be switched off. */
static void init(bool allow_tags, bool l1_flush)
{
	const char *lacking = detect(&svm);

	(void)allow_tags, (void)l1_flush;
	svm.usable = !lacking && svm_init_maps() == SUCCESS;
	if (!svm.usable)
		log_info("SVM: %s", lacking ? lacking : "no memory");
	if (svm.usable) {
		space_mem_guest_format = PTAB_HOST;
		space_pio_guest_block = true;
		space_mem_guest_leaf_max = arch_has_1g_pages() ? 2 : 1;
	}
}

static void prepare_cpu(unsigned n)
{
	struct svm_cpu *c = &cpus[n];

	if (!svm.usable)
		return;
	c->host = page_alloc_zeroed();
	c->save = page_alloc_zeroed();
	if (!c->host || !c->save || !svm_wait_prepare(n))
		svm.usable = false;
	else
		c->host_pa = heap_phys(c->host).v;
}

static void keep_spec_ctrl(struct svm_cpu *c)
{
	if (c->started)
		(void)!msr_write_safe(MSR_SPEC_CTRL, c->spec_ctrl);
	else if (!msr_read_safe(MSR_SPEC_CTRL, &c->spec_ctrl))
		c->spec_ctrl = 0;
	if (c->spec_ctrl)
		svm_hide_spec_ctrl();
}

/* After sleep a CPU must have what was common before. */
static const char *check_cpu(struct svm_cpu *c)
{
	struct svm mine = {0};
	const char *lacking = detect(&mine);

	if (!lacking && !c->started)
		c->own = mine;
	else if (!lacking && (mine.asids < svm.asids || mine.next_rip < svm.next_rip || mine.decodes < svm.decodes))
		return "less than before sleep";
	return lacking;
}

/* Translations of guests may have outlived a reset, so ASIDs start over with a flush. */
static void start_cpu(struct cpu *cpu)
{
	struct svm_cpu *c = svm_cpu(cpu);

	if (!svm.usable)
		return;
	const char *lacking = check_cpu(c);
	if (lacking) {
		log_warn("SVM: off for all, because of CPU %u: %s", cpu->id, lacking);
		svm.usable = false;
		return;
	}
	msr_write(MSR_EFER, msr_read(MSR_EFER) | EFER_SVME);
	msr_write(MSR_VM_HSAVE_PA, heap_phys(c->save).v);
	if (c->own.spec_ctrl)
		keep_spec_ctrl(c);
	svm_run_save_host(c);
	svm_vcpu_restart_asids(c);
	c->started = true;
}

static void stop_cpu(struct cpu *cpu)
{
	if (!(msr_read(MSR_EFER) & EFER_SVME))
		return;
	svm_vcpu_forget(cpu);
	msr_write(MSR_EFER, msr_read(MSR_EFER) & ~(u64)EFER_SVME);
}

/* What all CPUs have. */
static void find_common(void)
{
	for (unsigned n = 0; n < cpu_count; n++) {
		const struct svm *own = &cpus[n].own;

		if (!cpus[n].started)
			continue;
		svm.next_rip &= own->next_rip;
		svm.decodes &= own->decodes;
		svm.spec_ctrl &= own->spec_ctrl;
		svm.tsc_aux &= own->tsc_aux;
		svm.asids = (u32)min_u64(svm.asids, own->asids);
	}
}

static void announce(struct hip *hip)
{
	if (!svm.usable)
		return;
	find_common();
	svm_timer_init();
	svm_nmi_init();
	svm_exit_init();
	log_info("SVM: nested pages%s, %u ASIDs%s%s", arch_has_1g_pages() ? " up to 1 GiB" : "", svm.asids,
		 svm.next_rip ? ", exits tell the next RIP" : "", svm.decodes ? ", operands" : "");
	hip->api_flg |= HIP_FEATURE_SVM | HIP_EXT_VCPU_PARTIAL;
}

const struct virt svm_virt = {
	.init = init,
	.prepare_cpu = prepare_cpu,
	.start_cpu = start_cpu,
	.stop_cpu = stop_cpu,
	.announce = announce,
	.twins = svm_vcpu_twins,
};
