/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The smallest virtual-machine monitor; docs/vmm.md explains it line by line. */
#include "rt/console.h"
#include "rt/message.h"
#include "rt/panic.h"
#include "rt/pool.h"
#include "rt/sel.h"
#include "rt/start.h"
#include "rt/string.h"
#include "rt/vcpu.h"

enum { PORT = 0xe9, CODE = 0x1000, LIMIT = 0xffff };
#define CODE_SEGMENT                       \
	{                                  \
		0, VMX_AR_CODE16, LIMIT, 0 \
	}
#define DATA_SEGMENT                       \
	{                                  \
		0, VMX_AR_DATA16, LIMIT, 0 \
	}

/* Real mode: write a text to the port, byte by byte, and halt. SI points to the text. */
extern const uint8_t guest[], guest_end[];
__asm__(".pushsection .rodata\n"
	"guest: .code16\n"
	"	mov $0x1000 + text - guest, %si\n"
	"1:	lodsb\n"
	"	out %al, $0xe9\n"
	"	test %al, %al\n"
	"	jnz 1b\n"
	"	hlt\n"
	"text:	.asciz \"Hello from a guest\"\n"
	"guest_end: .code64\n"
	".popsection\n");

/* The state of a processor in real mode, as far as it must not be 0. */
static const struct utcb_state real_mode = {
	.rip = CODE,
	.rflags = 2,
	.cr0 = 0x30,
	.xcr0 = 1,
	.pat = 0x0007040600070406,
	.dr7 = 0x400,
	.cs = CODE_SEGMENT,
	.ss = DATA_SEGMENT,
	.ds = DATA_SEGMENT,
	.es = DATA_SEGMENT,
	.fs = DATA_SEGMENT,
	.gs = DATA_SEGMENT,
	.tr = {0, VMX_AR_TSS, LIMIT, 0},
	.ldtr = {0, VMX_AR_UNUSABLE, 0, 0},
	.gdtr = {0, 0, LIMIT, 0},
	.idtr = {0, 0, LIMIT, 0},
};

static bool run(struct rt_vcpu *v)
{
	uint64_t changed = RT_VCPU_ALL & ~(uint64_t)MTD_TSC_TIMEOUT;
	char line[80];
	unsigned n = 0;

	for (;;) {
		RT_MUST(hc_vcpu_run(v->sel, changed));
		if (v->state->exit_reason == VMX_HLT)
			return true;
		if (v->state->exit_reason != VMX_IO || v->state->qual[0] >> 16 != PORT || n == sizeof(line)) {
			rt_printf("the guest stopped: exit %#x at %#lx\n", v->state->exit_reason, v->state->rip);
			return false;
		}
		line[n++] = (char)v->state->rax;
		if (!line[n - 1])
			rt_printf("%s\n", line);
		v->state->rip += v->state->inst_len;
		changed = MTD_RIP_LEN;
	}
}

bool main(void)
{
	struct rt_vcpu v = {.cpu = rt_cpu, .pd = rt_sel()};
	uint8_t *ram = rt_pages(16);

	if (!rt_has_vcpus()) {
		rt_printf("this machine has no virtualization\n");
		return true;
	}
	memcpy(ram + CODE, guest, (size_t)(guest_end - guest));
	RT_MUST(rt_mask_interrupts());
	RT_MUST(hc_create_pd(v.pd, RT_SEL_PD, 0, 0));
	RT_MUST(rt_guest_map(v.pd, 0, ram, 16, RT_MEM_RWX));
	RT_MUST(rt_vcpu(&v));
	*v.state = real_mode;
	return run(&v);
}
