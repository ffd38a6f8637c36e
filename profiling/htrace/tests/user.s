# SPDX-License-Identifier: GPL-2.0-or-later
# A label without size, as in assembly.

	.globl	user_path
	.text
user_path:
	.fill	32, 1, 0x90
