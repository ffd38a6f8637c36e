/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Interrupts as semaphores: what IRQ_CTRL does (docs/abi.md, "IRQ_CTRL"). An extension of ours, announced by
 * HIP_EXT_IRQ. Until IRQ_CTRL_OPEN all interrupts are user land's and its guests', as in API 13.2.
 */
#pragma once

#define HC_IRQ_CTRL 66

/* Sub-operations, ARG1[11:8]. ARG1[63:12] names a semaphore where one is needed. */
enum {
	/* From now on, until the machine is reset, interrupts end in the kernel. */
	IRQ_CTRL_OPEN = 0,
	/* ARG2: number and flags of a line, ARG3: CPU. Each interrupt is an up of the semaphore. */
	IRQ_CTRL_BIND_LINE = 1,
	/* ARG3: CPU. OUT2, OUT3: address and data for the device. */
	IRQ_CTRL_BIND_MESSAGE = 2,
	IRQ_CTRL_UNBIND = 3,
	/* ARG3: another CPU, for a line. */
	IRQ_CTRL_MOVE = 4,
	/* The interrupt was handled: the next one may come. */
	IRQ_CTRL_ACK = 5,
	/* ARG3: CPU. OUT2: interrupts taken there, OUT3: of these such that nobody had asked for, OUT4: spurious
	 * ones.
	 */
	IRQ_CTRL_COUNT = 6,
};

/* ARG2 of IRQ_CTRL_BIND_LINE. */
#define IRQ_LINE_NUMBER 0xffffffffull
#define IRQ_LINE_ISA (1ull << 32)   /* the number is one of the ISA bus, 0 to 15; the rest is firmware's to say */
#define IRQ_LINE_LEVEL (1ull << 33) /* level-triggered, else edge-triggered */
#define IRQ_LINE_LOW (1ull << 34)   /* active low, else high */
#define IRQ_LINE_FLAGS (IRQ_LINE_ISA | IRQ_LINE_LEVEL | IRQ_LINE_LOW)

/* Vectors of a CPU that can be bound; the rest of the 224 are the kernel's. */
#define IRQ_VECTORS 222
