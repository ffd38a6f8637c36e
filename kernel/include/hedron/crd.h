/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Capability range descriptors and the metadata of typed items (docs/abi.md, "Capabilities" and "Delegation").
 * A CRD is a u64: kind 1:0, permissions 6:2, order 11:7, base 63:12 (naturally aligned by order).
 */
#pragma once

#include <hedron/abi.h>

enum crd_kind { CRD_NULL = 0, CRD_MEM = 1, CRD_PIO = 2, CRD_OBJ = 3 };

typedef unsigned long crd_t;

static inline crd_t crd_make(enum crd_kind kind, unsigned long base, unsigned order, unsigned perm)
{
	return (crd_t)kind | (crd_t)(perm & 31) << 2 | (crd_t)(order & 31) << 7 | base << 12;
}

/* What two CRDs of one kind have in common, at another place. */
static inline crd_t crd_common(crd_t a, crd_t b, unsigned long base, unsigned order)
{
	return base << 12 | (crd_t)order << 7 | (a & b & 0x7f);
}

static inline enum crd_kind crd_kind(crd_t c)
{
	return (enum crd_kind)(c & 3);
}
static inline unsigned crd_perm(crd_t c)
{
	return c >> 2 & 31;
}
static inline unsigned crd_order(crd_t c)
{
	return c >> 7 & 31;
}
static inline unsigned long crd_base(crd_t c)
{
	return c >> 12;
}

/* Metadata ("flags") of a typed item: kind 1:0, where to map 10:8, source 11, hotspot 63:12. */
enum {
	ITEM_TRANSLATE = 0,
	ITEM_DELEGATE = 1,
	ITEM_TRANSLATE_DELEGATE = 2,
	ITEM_KIND_MASK = 3,
	ITEM_NO_HOST = 1 << 8,     /* do not map into the host page table */
	ITEM_GUEST = 3 << 9,       /* either bit: map into the nested page table / guest port bitmap */
	ITEM_HYPERVISOR = 1 << 11, /* source is the hypervisor PD (roottask only) */
	ITEM_FLAGS_MASK = 0xfff,
};
