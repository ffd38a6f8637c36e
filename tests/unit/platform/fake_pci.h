/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The first 64 bytes of the configuration spaces of some PCI functions, behind ports 0xcf8 and 0xcfc. */
#pragma once

#include "unit.h"

#include "host.h"

#define FAKE_PCI_FUNCTIONS 8

struct fake_pci {
	u32 function, reg[16];
};

static struct fake_pci fake_pci[FAKE_PCI_FUNCTIONS];
static unsigned fake_pci_count;
static u32 fake_pci_address;

static u32 *fake_pci_register(void)
{
	static u32 nobody;

	nobody = ~0u;
	assert_int_equal(fake_pci_address & 0xff0000c3, 0x80000000);
	for (unsigned i = 0; i < fake_pci_count; i++)
		if (fake_pci[i].function == (fake_pci_address >> 8 & 0xffff))
			return &fake_pci[i].reg[fake_pci_address >> 2 & 15];
	return &nobody;
}

static u32 fake_pci_inl(u16 port)
{
	assert_int_equal(port, 0xcfc);
	return *fake_pci_register();
}

static void fake_pci_outl(u16 port, u32 v)
{
	if (port == 0xcf8)
		fake_pci_address = v;
	else
		*fake_pci_register() = v;
}

/* A machine without any; after host_reset(). */
static inline void fake_pci_start(void)
{
	fake_pci_count = 0;
	host_on_inl = fake_pci_inl;
	host_on_outl = fake_pci_outl;
}

static inline u32 fake_pci_function(unsigned bus, unsigned device, unsigned function)
{
	return bus << 8 | device << 3 | function;
}

/* A function of a class, which answers nowhere yet. */
static inline u32 *fake_pci_add(u32 function, u32 class)
{
	struct fake_pci *f = &fake_pci[fake_pci_count++];

	assert_true(fake_pci_count <= FAKE_PCI_FUNCTIONS);
	*f = (struct fake_pci){.function = function, .reg = {[0] = 0x12348086, [2] = class << 16}};
	return f->reg;
}
