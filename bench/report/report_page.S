/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The style and the script of HTML reports, as strings in the program: a page needs no other file. */
	.section .rodata

	.globl	report_page_css
report_page_css:
	.incbin "report/report_page.css"
	.byte	0

	.globl	report_page_js
report_page_js:
	.incbin "report/report_page.js"
	.byte	0

	.section .note.GNU-stack, "", @progbits
