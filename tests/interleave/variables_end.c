/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "variables.h"

#include "mm/buddy.h"
#include "space/pd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char variables_data_end[64] = {1};
char variables_bss_end[64];

static char *data, *bss;

static size_t data_size(void)
{
	return (size_t)(variables_data_end - variables_data_begin);
}
static size_t bss_size(void)
{
	return (size_t)(variables_bss_end - variables_bss_begin);
}

static bool within(const void *p, const char *begin, const char *end)
{
	return (const char *)p > begin && (const char *)p < end;
}

void variables_keep(void)
{
	/* The linker has kept the order: one of the kernel's variables is where it should be. */
	if (!within(&pd_kernel, variables_data_begin, variables_data_end) ||
	    !within(&buddy_frames, variables_bss_begin, variables_bss_end)) {
		fprintf(stderr, "interleave: the kernel's variables are not where they are looked for\n");
		exit(2);
	}
	data = malloc(data_size());
	bss = malloc(bss_size());
	if (!data || !bss)
		exit(2);
	memcpy(data, variables_data_begin, data_size());
	memcpy(bss, variables_bss_begin, bss_size());
}

void variables_restore(void)
{
	memcpy(variables_data_begin, data, data_size());
	memcpy(variables_bss_begin, bss, bss_size());
}
