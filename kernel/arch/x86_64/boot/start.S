/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From the boot loader (32-bit protected mode, no paging) to C in 64-bit mode; the other CPUs come the same way from
 * real mode. Multiboot 1 and 2 have a header each, and one entry: the magic number tells them apart in C.
 *
 * This section is linked at its load address, so that entry point and headers mean the same to every loader, but a
 * Multiboot 2 loader may have moved the image: all addresses here are relative to where it really is (EBP). Boot page
 * tables map the low 4 GiB at 0 and at HEAP_MAP, and the image at KERNEL_VIRT.
 * Manual: Multiboot 0.6.96, 3.1 and 3.2; Multiboot2 2.0, 3.1 and 3.3; SDM vol. 3, 10.8.5.
 */
#include "mm/layout.h"

#include <hedron/font.h>

#define MB1_MAGIC 0x1badb002
#define MB1_FLAGS 0x3		/* page-aligned modules, memory information */
#define MB2_MAGIC 0xe85250d6
#define MB2_OPTIONAL 1

/* What the information says of the screen (Multiboot 3.3, Multiboot2 3.6.12; platform/multiboot.c reads the rest). */
#define MB1_MAGIC_INFO 0x2badb002
#define MB1_HAS_SCREEN (1 << 12)
#define MB1_SCREEN     88
#define MB2_SCREEN     8
#define SCREEN_ADDR    0
#define SCREEN_PITCH   8
#define SCREEN_WIDTH   12
#define SCREEN_BITS    20
#define SCREEN_TYPE    21
#define SCREEN_RGB     1

#define LOAD_MIN   0x200000
#define LOAD_MAX   0x3fffffff
#define LOAD_ALIGN 0x200000

#define PTE_TABLE 0x3		/* present, writable */
#define PTE_2M	  0x83

/* The distance from the load address: of a symbol in this section, and of one in the rest of the image. */
#define REL(sym)  (sym - boot_base)
#define VREL(sym) (sym - KERNEL_VIRT)

	/*
	 * The steps that the boot CPU and the others have in common. Those in 32-bit mode want the load address in
	 * EBP. All lose EAX.
	 */

	/* PAE, the boot tables; LME, NXE, SCE; paging with write protection. Loses ECX and EDX, too. */
	.macro enable_long_mode
	mov	$(1 << 5), %eax
	mov	%eax, %cr4
	lea	VREL(boot_pml4)(%ebp), %eax
	mov	%eax, %cr3
	mov	$0xc0000080, %ecx
	rdmsr
	or	$(1 << 0 | 1 << 8 | 1 << 11), %eax
	wrmsr
	mov	$0x80010033, %eax
	mov	%eax, %cr0
	.endm

	/* To 64-bit code, by a far return. */
	.macro enter_64 target
	lea	REL(\target)(%ebp), %eax
	push	$SEL_KERNEL_CODE
	push	%eax
	lret
	.endm

	.macro load_data_segments
	mov	$SEL_KERNEL_DATA, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %ss
	.endm

	.macro clear_fs_gs
	xor	%eax, %eax
	mov	%eax, %fs
	mov	%eax, %gs
	.endm

	/* Fills `count` entries from EBX on, the first with EAX, each with `step` more than the one before. */
	.macro fill_table count, step
	mov	$\count, %ecx
1:	mov	%eax, (%ebx)
	add	$8, %ebx
	add	$\step, %eax
	loop	1b
	.endm

	.section .boot, "awx", @progbits
	.code32

	.globl boot_base
boot_base:
	.balign 8
mb1_header:
	.long	MB1_MAGIC, MB1_FLAGS, -(MB1_MAGIC + MB1_FLAGS)

	.balign 8
mb2_header:
	.long	MB2_MAGIC, 0, mb2_end - mb2_header, -(MB2_MAGIC + (mb2_end - mb2_header))
	/* relocatable: lowest, highest, alignment, prefer the highest place */
	.balign 8
	.word	10, 0
	.long	24, LOAD_MIN, LOAD_MAX, LOAD_ALIGN, 2
	/* modules on page boundaries */
	.balign 8
	.word	6, 0
	.long	8
	/* a console is not required, and text will do */
	.balign 8
	.word	4, MB2_OPTIONAL
	.long	12, 2
	/* but pixels are welcome: width, height and depth are the loader's choice */
	.balign 8
	.word	5, MB2_OPTIONAL
	.long	20, 0, 0, 0
	.balign 8
	.word	0, 0
	.long	8
mb2_end:

	.globl boot_entry
boot_entry:
	cli
	cld
	mov	%eax, %edi		/* magic */
	mov	%ebx, %esi		/* information */

	/*
	 * Finds out where the image is, by a call, for which there is no stack yet: the first word of the information
	 * serves as one of a single entry and gets its value back.
	 */
	mov	(%ebx), %ecx
	lea	4(%ebx), %esp
	call	1f
1:	pop	%ebp
	mov	%ecx, (%ebx)
	sub	$REL(1b), %ebp
	lea	VREL(boot_stack_top)(%ebp), %esp

	/* What else the CPU must have is checked in C. */
	call	check_long_mode
	jne	refuse

	/* Page tables; they are in .bss and zero. */
	lea	VREL(boot_pml4)(%ebp), %ebx
	lea	VREL(boot_pdpt_low) + PTE_TABLE(%ebp), %eax
	mov	%eax, (%ebx)
	mov	%eax, 384 * 8(%ebx)
	lea	VREL(boot_pdpt_high) + PTE_TABLE(%ebp), %eax
	mov	%eax, 511 * 8(%ebx)

	lea	VREL(boot_pdpt_low)(%ebp), %ebx
	lea	VREL(boot_pd_low) + PTE_TABLE(%ebp), %eax
	fill_table 4, 0x1000

	lea	VREL(boot_pd_low)(%ebp), %ebx
	mov	$PTE_2M, %eax
	fill_table 2048, 0x200000

	lea	VREL(boot_pdpt_high)(%ebp), %ebx
	lea	VREL(boot_pd_high) + PTE_TABLE(%ebp), %eax
	mov	%eax, 510 * 8(%ebx)
	lea	PTE_2M(%ebp), %eax
	mov	%eax, VREL(boot_pd_high)(%ebp)

	enable_long_mode
	lea	REL(boot_gdt)(%ebp), %eax
	mov	%eax, REL(boot_gdt_base)(%ebp)
	lgdt	REL(boot_gdt_pointer)(%ebp)
	enter_64 boot_64

	/*
	 * The other CPUs, and all after sleep. A copy of ap_trampoline in low memory (boot/trampoline.c) takes them
	 * out of real mode and jumps here, with EBP = load address, on the boot tables and boot_gdt of the boot CPU.
	 * Several may come at once: boot_stack is that of the one that has ap_lock, until it knows its own.
	 */
	.globl ap_entry
ap_entry:
	load_data_segments
1:	lock btsl $0, VREL(ap_lock)(%ebp)
	jnc	2f
	pause
	jmp	1b
2:	lea	VREL(boot_stack_top)(%ebp), %esp
	call	check_long_mode
	jne	ap_refuse
	enable_long_mode
	enter_64 ap_64

	/*
	 * The CPU has no long mode: it leaves its APIC ID, which has 8 bits then, and stops. The boot CPU reports it
	 * (boot/smp.c).
	 */
ap_refuse:
	mov	$1, %eax
	cpuid
	shr	$24, %ebx
	lock btsl %ebx, VREL(ap_no_long_mode)(%ebp)
	movl	$0, VREL(ap_lock)(%ebp)
1:	hlt
	jmp	1b

	/* Sets ZF if the CPU has what the boot tables need: long mode and no-execute. Loses EAX, EBX, ECX, EDX. */
check_long_mode:
	mov	$0x80000000, %eax
	cpuid
	xor	%edx, %edx
	cmp	$0x80000001, %eax
	jb	1f
	mov	$0x80000001, %eax
	cpuid
1:	and	$(1 << 29 | 1 << 20), %edx
	cmp	$(1 << 29 | 1 << 20), %edx
	ret

	/* The boot CPU has no long mode: says so on COM1 and the screen, and stops. */
refuse:
	call	find_screen
	lea	REL(refusal)(%ebp), %esi
	mov	$0xb8000, %edi
	mov	$0x3fb, %edx
	mov	$0x83, %al		/* 115200 8n1 */
	out	%al, %dx
	mov	$0x3f8, %edx
	mov	$1, %al
	out	%al, %dx
	inc	%edx
	xor	%al, %al
	out	%al, %dx
	mov	$0x3fb, %edx
	mov	$0x03, %al
	out	%al, %dx
1:	lodsb
	test	%al, %al
	jz	3f
	call	put_char
	mov	%al, %bl
	mov	$0x10000, %ecx
	mov	$0x3fd, %edx
2:	in	%dx, %al
	test	$0x20, %al
	loopz	2b
	mov	$0x3f8, %edx
	mov	%bl, %al
	out	%al, %dx
	jmp	1b
3:	hlt
	jmp	3b

	/*
	 * Fills in the words below if the loader's information (EDI, ESI) speaks of a screen of pixels that can be
	 * reached without paging. White is all bits of a pixel, whatever its colours are. Loses all but EBP and ESP.
	 */
find_screen:
	lea	MB1_SCREEN(%esi), %ebx
	cmp	$MB1_MAGIC_INFO, %edi
	jne	1f
	testl	$MB1_HAS_SCREEN, (%esi)
	jnz	2f
	ret
1:	mov	(%esi), %ecx		/* tags: type, size, content; each aligned to 8 bytes */
	add	%esi, %ecx
	lea	8(%esi), %ebx
3:	cmp	%ecx, %ebx
	jae	4f
	mov	4(%ebx), %eax
	cmp	$8, %eax
	jb	4f
	mov	%ecx, %edx
	sub	%ebx, %edx
	cmp	%edx, %eax
	ja	4f
	cmpl	$MB2_SCREEN, (%ebx)
	lea	7(%ebx, %eax), %eax
	jne	5f
	add	$8, %ebx
2:	cmpl	$0, SCREEN_ADDR + 4(%ebx)
	jne	4f
	cmpb	$SCREEN_RGB, SCREEN_TYPE(%ebx)
	jne	4f
	movzbl	SCREEN_BITS(%ebx), %ecx
	add	$7, %ecx
	shr	$3, %ecx		/* bytes of a pixel */
	mov	SCREEN_WIDTH(%ebx), %eax
	xor	%edx, %edx
	mov	$(HEDRON_FONT_COLUMNS * HEDRON_FONT_WIDTH), %esi
	div	%esi
	cmp	$1, %eax
	adc	$0, %eax		/* at least 1 */
	mov	%eax, REL(screen_scale)(%ebp)
	imul	%eax, %ecx
	mov	%ecx, REL(screen_dot)(%ebp)
	imul	$HEDRON_FONT_WIDTH, %eax, %ecx
	mov	SCREEN_WIDTH(%ebx), %eax
	xor	%edx, %edx
	div	%ecx
	mov	%eax, REL(screen_columns)(%ebp)
	mov	%eax, REL(screen_left)(%ebp)
	mov	SCREEN_PITCH(%ebx), %eax
	mov	%eax, REL(screen_pitch)(%ebp)
	mov	SCREEN_ADDR(%ebx), %eax
	mov	%eax, REL(screen_row)(%ebp)
	mov	%eax, REL(screen_at)(%ebp)
4:	ret
5:	and	$~7, %eax
	mov	%eax, %ebx
	jmp	3b

	/* AL to the screen: pixels, else text at EDI, which moves on. Without a glyph: nothing. Loses EBX. */
put_char:
	cmpl	$0, REL(screen_columns)(%ebp)
	jne	1f
	mov	%al, (%edi)
	movb	$0x4f, 1(%edi)
	add	$2, %edi
	ret
1:	pusha
	sub	$HEDRON_FONT_FIRST, %al
	cmp	$HEDRON_FONT_COUNT, %al
	jae	6f
	movzbl	%al, %eax
	imul	$HEDRON_FONT_HEIGHT, %eax
	lea	VREL(framebuffer_font)(%ebp, %eax), %esi
	mov	REL(screen_at)(%ebp), %edi
	mov	$HEDRON_FONT_HEIGHT, %edx
2:	mov	REL(screen_scale)(%ebp), %ecx
3:	push	%ecx
	push	%edi
	mov	(%esi), %bl
	mov	$HEDRON_FONT_WIDTH, %bh
4:	shl	%bl
	sbb	%al, %al
	mov	REL(screen_dot)(%ebp), %ecx
	rep	stosb
	dec	%bh
	jnz	4b
	pop	%edi
	pop	%ecx
	add	REL(screen_pitch)(%ebp), %edi
	loop	3b
	inc	%esi
	dec	%edx
	jnz	2b
	mov	REL(screen_dot)(%ebp), %eax
	imul	$HEDRON_FONT_WIDTH, %eax
	add	%eax, REL(screen_at)(%ebp)
	decl	REL(screen_left)(%ebp)
	jnz	6f
	mov	REL(screen_columns)(%ebp), %eax
	mov	%eax, REL(screen_left)(%ebp)
	mov	REL(screen_pitch)(%ebp), %eax
	imul	REL(screen_scale)(%ebp), %eax
	imul	$HEDRON_FONT_HEIGHT, %eax
	add	REL(screen_row)(%ebp), %eax
	mov	%eax, REL(screen_row)(%ebp)
	mov	%eax, REL(screen_at)(%ebp)
6:	popa
	ret

	.balign 4
screen_columns:	.long	0		/* 0: no pixels */
screen_left:	.long	0		/* columns */
screen_scale:	.long	0
screen_dot:	.long	0		/* bytes of an enlarged pixel */
screen_pitch:	.long	0
screen_row:	.long	0
screen_at:	.long	0

refusal:
	.asciz	"Hedron Hypervisor: refused, this CPU has no 64-bit long mode with no-execute pages\r\n"

	.balign 8
	.globl boot_gdt
boot_gdt:
	.quad	0
	.quad	0x00af9b000000ffff	/* SEL_KERNEL_CODE: 64-bit */
	.quad	0x00cf93000000ffff	/* SEL_KERNEL_DATA */
	.quad	0x00cf9b000000ffff	/* SEL_BOOT_CODE32 */
	.if	. - boot_gdt - BOOT_GDT_SIZE
	.error	"BOOT_GDT_SIZE"
	.endif
boot_gdt_pointer:
	.word	BOOT_GDT_SIZE - 1
boot_gdt_base:
	.long	0, 0

	/*
	 * Copied to a page below 1 MiB and entered in real mode with CS = that page, at offset 0: addresses are
	 * offsets from ap_trampoline. The words behind the code are filled in by boot/trampoline.c.
	 */
	.code16
	.globl ap_trampoline, ap_trampoline_end
ap_trampoline:
	cli
	mov	%cs, %ax
	mov	%ax, %ds
	lgdtl	ap_trampoline_gdt - ap_trampoline
	mov	ap_trampoline_load - ap_trampoline, %ebp
	mov	%cr0, %eax
	or	$1, %al
	mov	%eax, %cr0
	ljmpl	*(ap_trampoline_target - ap_trampoline)
	.balign 4
ap_trampoline_target:
	.long	0, SEL_BOOT_CODE32
ap_trampoline_gdt:
	.word	BOOT_GDT_SIZE - 1
	.long	0
	.balign 4
ap_trampoline_load:
	.long	0
ap_trampoline_end:

	.code64
ap_64:
	clear_fs_gs
	xor	%ebp, %ebp
	mov	$boot_stack_top, %rsp
	mov	$smp_own_stack, %rax
	call	*%rax
	mov	%rax, %rsp
	movl	$0, ap_lock
	mov	$ap_main, %rax
	call	*%rax
	ud2

boot_64:
	load_data_segments
	clear_fs_gs
	mov	%edi, %edi		/* upper halves are undefined after the switch of modes */
	mov	%esi, %esi
	mov	%ebp, %edx
	xor	%ebp, %ebp
	mov	$boot_stack_top, %rsp
	mov	$boot_main, %rax
	call	*%rax			/* (magic, information, load address), does not return */
	ud2

	.section .bss
	.balign 4096
	.globl boot_pml4, boot_pdpt_low, boot_pdpt_high, boot_pd_low, boot_pd_high
boot_pml4:	.skip 4096
boot_pdpt_low:	.skip 4096
boot_pdpt_high:	.skip 4096
boot_pd_low:	.skip 4 * 4096
boot_pd_high:	.skip 4096
boot_stack:	.skip 4 * 4096
boot_stack_top:

	/* Switches to the running CPU's own stack: RDI = its top, RSI = function, RDX = argument. */
	.text
	.globl boot_switch_stack
boot_switch_stack:
	mov	%rdi, %rsp
	mov	%rdx, %rdi
	call	*%rsi
	ud2

	.section .note.GNU-stack, "", @progbits
