# SPDX-License-Identifier: GPL-2.0-or-later
# Functions with names and nothing in them, for the tests.

	.globl	before, kernel_path, after
	.type	before, @function
	.type	kernel_path, @function
	.type	after, @function
	.text
before:
	.fill	16, 1, 0x90
	.size	before, . - before
kernel_path:
	.fill	32, 1, 0x90
	.size	kernel_path, . - kernel_path
after:
	.fill	16, 1, 0x90
	.size	after, . - after
