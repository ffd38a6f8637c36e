/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A PCI bus by configuration mechanism 1: device 0 is the bridge to the processor, the others have one function, one
 * BAR of ports and interrupt pin A. Manual: PCI Local Bus Specification 3.0, 3.2.2.3.2 and chapter 6.
 * Ports: 0xcf8 to 0xcff, and those that the BARs say.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { PCI_DEVICES = 8, PCI_PORTS = 256 };

/* Interrupt lines of the processor's controllers that devices share. Lines are levels. */
#define PCI_LINES (1u << 5 | 1u << 10 | 1u << 11)

struct pci_device {
	uint8_t config[256], writable[256]; /* registers, and which of their bits can be written */
	uint8_t (*read)(void *arg, unsigned at);
	void (*write)(void *arg, unsigned at, uint8_t value);
	void (*run)(void *arg);  /* what the outside has for it; null: nothing, ever */
	void *arg;               /* of these three; `at` counts from the BAR's start */
	uint8_t window;          /* where four bytes of `config` stand for registers, 0: nowhere (pci.c) */
	uint8_t last_capability; /* where it is in `config` */
	uint8_t capabilities_end;
	bool line; /* its interrupt pin */
};

struct pci {
	uint32_t address; /* of the register that 0xcfc stands for */
	struct pci_device device[PCI_DEVICES];
	unsigned devices;
	uint16_t lines; /* levels of all interrupt lines, by number */
};

void pci_reset(struct pci *p); /* a bus with nothing but its bridge */

/* Plugs in a device, whose ports and interrupt line are those a firmware would choose. Null: the bus is full. */
struct pci_device *pci_add(struct pci *p, uint16_t vendor, uint16_t number, uint32_t class_code);

/*
 * Appends a capability of `size` bytes, which follow its two bytes for number and link, and returns where it is in
 * `config`. There is room for all that devices here have.
 */
unsigned pci_add_capability(struct pci_device *d, uint8_t number, const void *body, unsigned size);

uint8_t pci_line(unsigned number); /* the interrupt line of a device, by its number on the bus */
void pci_set_line(struct pci *p, struct pci_device *d, bool high);
void pci_run(struct pci *p);
bool pci_listens(const struct pci *p); /* may the outside have something for a device? */

/* The device whose BAR has the port, or null, and how far from the BAR's start the port is. */
struct pci_device *pci_find(struct pci *p, uint16_t port, unsigned *at);

uint8_t pci_read(struct pci *p, uint16_t port);
void pci_write(struct pci *p, uint16_t port, uint8_t value);
