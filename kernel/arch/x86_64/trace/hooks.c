/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "trace/hooks.h"

#include "arch/cpu.h"
#include "arch/switch.h"
#include "core/dispatch.h"
#include "core/exception.h"
#include "core/ipc.h"
#include "core/vcpu.h"
#include "lib/bits.h"
#include "svm/vmcb.h"
#include "syscall/syscall.h"
#include "trace/trace.h"
#include "vmx/vmcs.h"
#include "vmx/vmx.h"

/* entry/entry.S, hooks.S */
extern const u8 entry_hypercall[], hooks_vm_entry[], hooks_svm_entry[];

struct ec *vmx_exit(struct cpu *cpu, struct vcpu *v);
struct ec *svm_exit(struct cpu *cpu, struct vcpu *v);

struct ec *hooks_call(u64 arg1, u64 unused2, u64 unused3, u64 unused4, struct cpu *cpu, struct ec *self);
struct ec *hooks_reply(u64 arg1, u64 unused2, u64 unused3, u64 unused4, struct cpu *cpu, struct ec *self);
enum status hooks_hypercall(u64 arg1, u64 arg2, u64 arg3, struct ec *self, u64 arg5);
struct ec *hooks_exception(struct cpu *cpu, struct ec *ec, unsigned event);
struct ec *hooks_dispatch(struct cpu *cpu);
struct ec *hooks_vm_exit(struct cpu *cpu, struct vcpu *v);
struct ec *hooks_svm_exit(struct cpu *cpu, struct vcpu *v);
void hooks_note_vm_entry(struct vcpu *v);

#define HYPERCALL_EVENTS (TRACE_BIT(HYPERCALL) | TRACE_BIT(HYPERCALL_END))
#define HYPERCALL_PATHS ((1ul << TRACE_PATH_EXTENSION << 1) - 1)
#define IPC_PATHS (1ul << HC_CALL | 1ul << HC_REPLY)
#define FASTCALL_PATHS (1ul << HC_PT_CTRL | 1ul << HC_SM_CTRL)
#define DISPATCH_PATHS TRACE_PATH_BIT(DISPATCH)
#define VM_EXIT_PATHS TRACE_PATH_BIT(VM_EXIT) /* a decision ends it, too */

#define OPCODE_CALL 1
#define OPCODE_JCC 2

const struct hook hooks[HOOKS] = {
	[HOOK_CALL] = {hooks_call, HYPERCALL_EVENTS | TRACE_BIT(CALL), 1ul << HC_CALL, OPCODE_CALL},
	[HOOK_REPLY] = {hooks_reply, HYPERCALL_EVENTS | TRACE_BIT(REPLY), 1ul << HC_REPLY, OPCODE_CALL},
	[HOOK_HYPERCALL] = {hooks_hypercall, HYPERCALL_EVENTS, HYPERCALL_PATHS & ~IPC_PATHS, OPCODE_CALL},
	[HOOK_FASTCALL] = {entry_hypercall, HYPERCALL_EVENTS, FASTCALL_PATHS, OPCODE_JCC},
	[HOOK_EXCEPTION] = {hooks_exception, TRACE_BIT(EXCEPTION), TRACE_PATH_BIT(EXCEPTION), OPCODE_CALL},
	[HOOK_DISPATCH] = {hooks_dispatch, TRACE_BIT(DISPATCH) | TRACE_BIT(RESUME), DISPATCH_PATHS | VM_EXIT_PATHS,
			   OPCODE_CALL},
	[HOOK_VM_EXIT] = {hooks_vm_exit, TRACE_BIT(VM_EXIT), VM_EXIT_PATHS, OPCODE_CALL},
	[HOOK_VM_ENTRY] = {hooks_vm_entry, TRACE_BIT(VM_ENTRY), VM_EXIT_PATHS | DISPATCH_PATHS, 0},
	[HOOK_SVM_EXIT] = {hooks_svm_exit, TRACE_BIT(VM_EXIT), VM_EXIT_PATHS, OPCODE_CALL},
	[HOOK_SVM_ENTRY] = {hooks_svm_entry, TRACE_BIT(VM_ENTRY), VM_EXIT_PATHS | DISPATCH_PATHS, 0},
};

/* What does not come back (it ends on an empty stack) has no end, and its time is not counted. */
static void hypercall_begin(struct trace_span *s, u64 arg1, const struct ec *self)
{
	trace_record(TRACE_HYPERCALL, (u8)arg1, arg1, self->regs.rip);
	trace_begin(s);
}

static void hypercall_end(struct trace_span *s, u64 arg1, u64 status, const struct ec *next)
{
	u8 hc = (u8)arg1;

	trace_end(hc < TRACE_PATH_EXTENSION ? hc : TRACE_PATH_EXTENSION, s);
	trace_record(TRACE_HYPERCALL_END, (u8)status, (u64)next, 0);
}

typedef struct ec *ipc_fn(u64 arg1, u64 unused2, u64 unused3, u64 unused4, struct cpu *cpu, struct ec *self);

/* `event` if somebody else goes on: the message is there. */
static always_inline struct ec *message(ipc_fn *fn, unsigned event, u64 arg1, struct ec *self, struct cpu *cpu)
{
	struct trace_span s;

	hypercall_begin(&s, arg1, self);
	struct ec *next = fn(arg1, 0, 0, 0, cpu, self);
	if (next != self)
		trace_record(event, 0, (u64)self, (u64)next);
	hypercall_end(&s, arg1, next == self ? self->regs.rdi : SUCCESS, next);
	return next;
}

struct ec *hooks_call(u64 arg1, u64 unused2, u64 unused3, u64 unused4, struct cpu *cpu, struct ec *self)
{
	(void)unused2, (void)unused3, (void)unused4;
	return message(ipc_call, TRACE_CALL, arg1, self, cpu);
}

struct ec *hooks_reply(u64 arg1, u64 unused2, u64 unused3, u64 unused4, struct cpu *cpu, struct ec *self)
{
	(void)unused2, (void)unused3, (void)unused4;
	return message(ipc_reply, TRACE_REPLY, arg1, self, cpu);
}

enum status hooks_hypercall(u64 arg1, u64 arg2, u64 arg3, struct ec *self, u64 arg5)
{
	struct trace_span s;

	hypercall_begin(&s, arg1, self);
	enum status status = syscall_dispatch(arg1, arg2, arg3, self, arg5);
	hypercall_end(&s, arg1, status, self);
	return status;
}

struct ec *hooks_exception(struct cpu *cpu, struct ec *ec, unsigned event)
{
	struct trace_span s;

	trace_record(TRACE_EXCEPTION, event, ec->regs.rip, ec->regs.error);
	trace_begin(&s);
	struct ec *next = exception_raise(cpu, ec, event);
	trace_end(TRACE_PATH_EXCEPTION, &s);
	return next;
}

/*
 * The decision may need several attempts, and may go on in user mode or in a guest without coming back. A VM exit
 * that ends in one is not counted: the next entry may be another guest's, or one much later.
 */
struct ec *hooks_dispatch(struct cpu *cpu)
{
	cpu->trace.vm_exit.tsc = 0;
	trace_record(TRACE_DISPATCH, 0, (u64)cpu->ec, cpu->hazard);
	if (!cpu->trace.dispatch.tsc)
		trace_begin(&cpu->trace.dispatch);
	struct ec *next = dispatch_run(cpu);
	trace_resume(TRACE_RESUME_SYSRET, next);
	return next;
}

struct ec *hooks_vm_exit(struct cpu *cpu, struct vcpu *v)
{
	trace_begin(&cpu->trace.vm_exit);
	trace_record(TRACE_VM_EXIT, (u16)vmread(VMCS_EXIT_REASON), vmread(VMCS_GUEST_RIP), vmread(VMCS_EXIT_QUAL));
	struct ec *next = vmx_exit(cpu, v);
	trace_end(TRACE_PATH_VM_EXIT, &cpu->trace.vm_exit);
	return next;
}

/* The same with AMD's numbers. No NMI comes in, so nobody else writes to the ring meanwhile. */
struct ec *hooks_svm_exit(struct cpu *cpu, struct vcpu *v)
{
	const struct vmcb *b = v->arch.svm.vmcb;

	trace_begin(&cpu->trace.vm_exit);
	trace_record(TRACE_VM_EXIT, (u16)b->exit_code, b->rip, b->exit_info1);
	struct ec *next = svm_exit(cpu, v);
	trace_end(TRACE_PATH_VM_EXIT, &cpu->trace.vm_exit);
	return next;
}

/* Also the end of an exit that the kernel has handled, and of a decision for the EC whose run this is. */
void hooks_note_vm_entry(struct vcpu *v)
{
	struct trace_cpu *t = &cpu_current()->trace;

	trace_end(TRACE_PATH_VM_EXIT, &t->vm_exit);
	trace_end(TRACE_PATH_DISPATCH, &t->dispatch);
	trace_record(TRACE_VM_ENTRY, 0, (u64)v, 0);
}
