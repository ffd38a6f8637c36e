/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the tests of vCPUs have in common. All of them run on one CPU, on the frame of tests/guest/lib; a test that
 * needs VMX is skipped without it.
 */
#pragma once

#include "guest.h"

#include "guest/vm.h"

/* Tables of the files, each ends with a null. */
extern const struct test vcpu_control_tests[];
extern const struct test vcpu_exit_tests[];
extern const struct test vcpu_access_tests[];
extern const struct test vcpu_state_tests[];
extern const struct test vcpu_guest_tests[];
extern const struct test vcpu_fpu_tests[];
extern const struct test vcpu_cr_tests[];
extern const struct test vcpu_msr_tests[];
extern const struct test vcpu_event_tests[];
extern const struct test vcpu_debug_tests[];
extern const struct test vcpu_window_tests[];
extern const struct test vcpu_signal_tests[];
extern const struct test vcpu_time_tests[];
extern const struct test vcpu_memory_tests[];
extern const struct test vcpu_apic_tests[];
extern const struct test vcpu_entry_tests[];
extern const struct test vcpu_life_tests[];
extern const struct test vcpu_partial_tests[];
extern const struct test vcpu_trace_tests[];

/* The n-th VM of the running test, with a PD of its own that is (not) passthrough. Made, or the test ends. */
struct vm *vcpu_vm(unsigned n);
struct vm *vcpu_vm_passthrough(unsigned n);
struct vm *vcpu_vm_in(unsigned n, sel_t pd); /* in that PD, with the n-th VM's RAM */

/* Runs, and the test ends unless the run succeeds and that is the exit. */
void vcpu_expect(struct vm *vm, unsigned reason, const char *file, int line);
#define ASSERT_EXIT(vm, reason) vcpu_expect((vm), (reason), __FILE__, __LINE__)

/* Starts that code in its mode (an array of one for each) and runs up to that exit. */
#define ASSERT_FIRST_EXIT(vm, mode, code, reason)      \
	do {                                           \
		vm_start((vm), (mode), &(code)[mode]); \
		ASSERT_EXIT((vm), (reason));           \
	} while (0)

#define FOR_MODES(mode) for (enum vm_mode mode = VM_16; mode < VM_MODES; mode++)

/* Like EXPECT_EQ, and tells the mode. */
bool vcpu_equal(struct vm *vm, unsigned long got, unsigned long want, const char *file, int line, const char *text);
#define EXPECT_VM(vm, got, want) \
	vcpu_equal((vm), (unsigned long)(got), (unsigned long)(want), __FILE__, __LINE__, #got)

/* Writes down what the page holds: to see which of it a run changes. */
void vcpu_scribble(struct vm *vm);

/* What only Intel's processors have, and why; or what QEMU does otherwise than AMD's do (docs/caveats.md). */
#define NEED_VMX(why)                          \
	do {                                   \
		if (rt_has_svm())              \
			SKIP("Intel's: " why); \
	} while (0)
#define NEED_BETTER_SVM(why)                \
	do {                                \
		if (vcpu_svm_of_qemu())     \
			SKIP("QEMU: " why); \
	} while (0)

bool vcpu_svm_of_qemu(void);

#define NEED_CTRL1(bits)                                      \
	do {                                                  \
		if ((rt_vmx_ctrl1() & (bits)) != (bits))      \
			SKIP("this CPU has no such control"); \
	} while (0)
