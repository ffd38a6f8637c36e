/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Entry points. The kernel starts the roottask with RSP = address of the HIP and RDI = CPU number, and nothing mapped
 * but the image, the HIP and the UTCB: the stack is the image's own.
 */
#include "internal.h"

#define STACK_SIZE 32768

__attribute__((used, aligned(16))) static uint8_t stack[STACK_SIZE];

#define STRING_(x) #x
#define STRING(x) STRING_(x)

__asm__(".pushsection .text\n"
	".global _start\n"
	".type _start, @function\n"
	"_start:\n"
	"	mov %edi, %esi\n"
	"	mov %rsp, %rdi\n"
	"	lea stack + " STRING(
		STACK_SIZE) "(%rip), %rsp\n"
			    "	xor %ebp, %ebp\n"
			    "	call rt_start\n"
			    "	ud2\n"
			    ".size _start, . - _start\n"

			    /*
			     * A portal call finds RSP as the last reply left it, so replying must restore it: [RSP]
			     * stays the address of the UTCB, put there when the EC was made.
			     */
			    ".global rt_portal_entry\n"
			    ".type rt_portal_entry, @function\n"
			    "rt_portal_entry:\n"
			    "	mov 8(%rdi), %rsi\n"
			    "	mov (%rdi), %rax\n"
			    "	mov (%rsp), %rdi\n"
			    "	call *%rax\n"
			    ".global rt_portal_echo\n"
			    ".type rt_portal_echo, @function\n"
			    "rt_portal_echo:\n"
			    "	mov $1, %edi\n" /* HC_REPLY */
			    "	syscall\n"
			    "	ud2\n"
			    ".size rt_portal_entry, . - rt_portal_entry\n"

			    ".global rt_thread_entry\n"
			    ".type rt_thread_entry, @function\n"
			    "rt_thread_entry:\n"
			    "	pop %rax\n"
			    "	pop %rdi\n"
			    "	call *%rax\n"
			    "	call rt_block\n"
			    "	ud2\n"
			    ".size rt_thread_entry, . - rt_thread_entry\n"
			    ".popsection\n");

_Static_assert(HC_REPLY == 1, "rt_portal_echo");

__attribute__((used)) static _Noreturn void rt_start(const struct hip *hip, unsigned cpu)
{
	rt_hip_init(hip, cpu);
	rt_console_init();
	if (!rt_hip_valid())
		rt_panic("this kernel's information page is not one of API %u", HEDRON_API_VERSION / 1000);
	rt_pool_init();
	rt_machine_init();
	rt_events_init();
	rt_exit(main());
}
