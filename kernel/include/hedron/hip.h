/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The hypervisor information page (docs/abi.md, "Hypervisor information page"). Little endian, one page. */
#pragma once

#include <hedron/abi.h>
#include <stddef.h>
#include <stdint.h>

#define HIP_SIGNATURE 0x4e524448 /* "HDRN" */

enum hip_feature {
	HIP_FEATURE_IOMMU = 1 << 0,
	HIP_FEATURE_VMX = 1 << 1,
	HIP_FEATURE_SVM = 1 << 2,
	HIP_FEATURE_UEFI = 1 << 3,
	/* our extensions */
	HIP_EXT_VCPU_PARTIAL = 1 << 16,  /* VCPU_CTRL_PARTIAL */
	HIP_EXT_TRACE = 1 << 17,         /* TRACE_CTRL */
	HIP_EXT_CONSOLE = 1 << 18,       /* MACHINE_CTRL_CONSOLE */
	HIP_EXT_CONSOLE_KEEPS = 1 << 19, /* somebody keeps what MACHINE_CONSOLE_WRITE is given */
	HIP_EXT_FRAMEBUFFER = 1 << 20,   /* struct hip_framebuffer, at HIP_FRAMEBUFFER */
	HIP_EXT_SERIAL = 1 << 21,        /* HIP_SERIAL */
	HIP_EXT_MEMORY = 1 << 22,        /* MEMORY_CTRL */
	HIP_EXT_TEXT = 1 << 23,          /* struct hip_framebuffer, of characters instead of pixels */
	HIP_EXT_BUILD_ID = 1 << 24,      /* HIP_BUILD_ID */
	HIP_EXT_IRQ = 1 << 25,           /* IRQ_CTRL */
};

enum hip_mem_type {
	HIP_MEM_RAM = 1,
	HIP_MEM_RESERVED = 2,
	HIP_MEM_ACPI = 3,
	HIP_MEM_NVS = 4,
	HIP_MEM_BAD = 5,
	HIP_MEM_MODULE = (int)0xfffffffe,
	HIP_MEM_HYPERVISOR = (int)0xffffffff,
};

#define HIP_CPU_ENABLED 1

struct hip_cpu {
	uint8_t flags, thread, core, package, acpi_id, apic_id, reserved[2];
};

struct hip_mem {
	uint64_t addr, size;
	uint32_t type, aux;
};

/* ACPI generic address structure; unaligned in the HIP. */
struct hip_gas {
	uint8_t space, bits, offset, access;
	uint64_t addr;
} __attribute__((__packed__));

/*
 * The screen: pixels of `bits` bits in 2, 3 or 4 bytes, colours as position and width of their bits. With
 * HIP_EXT_TEXT, of VGA's text mode: width, height and first_row are characters of 2 bytes, and there are no colours.
 */
struct hip_framebuffer {
	uint64_t addr;
	uint32_t pitch, width, height; /* bytes from row to row; pixels */
	uint32_t first_row;            /* the hypervisor draws above this row of pixels, user land from it on */
	uint8_t bits, red_at, red_size, green_at, green_size, blue_at, blue_size, reserved;
};

/* Its offset: near the end of the page, behind all that `length` and the checksum are about. */
#define HIP_FRAMEBUFFER 0xfc0

/*
 * Next to it, with HIP_EXT_BUILD_ID: which kernel this is, a hash (SHA-1) of all that it is made of. The linker puts
 * the same bytes into the note NT_GNU_BUILD_ID of the image.
 */
#define HIP_BUILD_ID (HIP_FRAMEBUFFER + sizeof(struct hip_framebuffer))
#define HIP_BUILD_ID_SIZE 20

struct hip {
	uint32_t signature;
	uint16_t checksum, length;
	uint16_t cpu_offset, cpu_size, mem_offset, mem_size;
	uint32_t api_flg, api_ver;
	uint32_t sel_num, sel_exc, sel_vmi;
	uint32_t cfg_page, cfg_utcb;
	uint32_t freq_tsc; /* kHz */
	uint64_t mcfg_base, mcfg_size;
	uint64_t dmar_table;
	uint64_t cap_vmx_sec_exec;
	uint64_t xsdt_rsdt;
	struct hip_gas pm1a_cnt, pm1b_cnt;
	struct hip_cpu cpu[HEDRON_CPU_MAX];
	struct hip_mem mem[];
};

/*
 * Where in the page, behind all that `length` counts, the kernel tells with HIP_EXT_SERIAL where the registers of
 * its serial line are: a struct hip_gas, whose `bits` are the width of a register and the distance to the next.
 */
#define HIP_SERIAL (4096 - sizeof(struct hip_gas))
#define HIP_GAS_MEMORY 0
#define HIP_GAS_PORTS 1

#define HIP_MEM_MAX ((HIP_FRAMEBUFFER - sizeof(struct hip)) / sizeof(struct hip_mem))

HEDRON_ASSERT(offsetof(struct hip, api_flg) == 16, "HIP offset");
HEDRON_ASSERT(offsetof(struct hip, freq_tsc) == 44, "HIP offset");
HEDRON_ASSERT(offsetof(struct hip, mcfg_base) == 48, "HIP offset");
HEDRON_ASSERT(offsetof(struct hip, dmar_table) == 64, "HIP offset");
HEDRON_ASSERT(offsetof(struct hip, cap_vmx_sec_exec) == 72, "HIP offset");
HEDRON_ASSERT(offsetof(struct hip, xsdt_rsdt) == 80, "HIP offset");
HEDRON_ASSERT(offsetof(struct hip, pm1a_cnt) == 88, "HIP offset");
HEDRON_ASSERT(offsetof(struct hip, pm1b_cnt) == 100, "HIP offset");
HEDRON_ASSERT(offsetof(struct hip, cpu) == 0x70, "HIP offset");
HEDRON_ASSERT(offsetof(struct hip, mem) == 0x470, "HIP offset");
HEDRON_ASSERT(HIP_SERIAL == 4084, "HIP offset");
HEDRON_ASSERT(HIP_BUILD_ID == 4064 && HIP_BUILD_ID + HIP_BUILD_ID_SIZE <= HIP_SERIAL, "HIP offset");
HEDRON_ASSERT(offsetof(struct hip_framebuffer, bits) == 24, "HIP offset");
HEDRON_ASSERT(sizeof(struct hip_cpu) == 8 && sizeof(struct hip_mem) == 24, "HIP descriptor sizes");
