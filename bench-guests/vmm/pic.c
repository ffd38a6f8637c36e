/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vmm/pic.h"

enum { MASTER, SLAVE, INPUTS = 8, CASCADE = 2, SPURIOUS = 7, NONE = -1 };
enum { PORT_SLAVE = 0x80, PORT_DATA = 1 };
/* Inputs 0, 1, 2, 8 and 13 belong to devices of the board and cannot be level triggered. */
enum { LEVEL_MASTER = 0xf8, LEVEL_SLAVE = 0xde };
/* Initialization word 1, and operation words 2 and 3, share a port. */
enum {
	ICW1 = 0x10,
	ICW1_SINGLE = 0x02,
	ICW1_WORD_4 = 0x01,
	ICW4_AUTO_EOI = 0x02,
	ICW4_FULLY_NESTED = 0x10,
	OCW3 = 0x08
};
enum { OCW3_READ_SERVED = 1, OCW3_READ = 2, OCW3_POLL = 4, OCW3_MASK = 0x20, OCW3_SET_MASK = 0x40 };

static int first_of(const struct pic_chip *c, uint8_t set)
{
	for (unsigned i = 1; i <= INPUTS; i++) {
		unsigned input = (c->lowest + i) % INPUTS;

		if (set >> input & 1)
			return (int)input;
	}
	return NONE;
}

/* The input with the highest priority, 0, to the lowest, 7. */
static unsigned rank(const struct pic_chip *c, int input)
{
	return ((unsigned)input - c->lowest - 1u) % INPUTS;
}

/* The request that the chip signals, or NONE. What is being served holds back its equals and what is below it. */
static int pending(const struct pic_chip *c)
{
	int wanted = first_of(c, c->requested & (uint8_t)~c->masked);
	uint8_t holding = c->special_mask ? c->served & (uint8_t)~c->masked : c->served;
	int served;

	if (wanted == NONE)
		return NONE;
	/* Requests of the second chip have priorities of their own, which it looks at itself. */
	if (c->fully_nested && wanted == CASCADE)
		holding &= (uint8_t) ~(1u << CASCADE);
	served = first_of(c, holding);
	return served == NONE || rank(c, wanted) < rank(c, served) ? wanted : NONE;
}

static void set_input(struct pic_chip *c, unsigned input, bool high)
{
	uint8_t bit = (uint8_t)(1u << input);

	if (!high)
		c->requested &= (uint8_t)~bit; /* a request that goes before it is answered is a spurious one */
	else if (c->level & bit || !(c->lines & bit))
		c->requested |= bit;
	c->lines = high ? c->lines | bit : c->lines & (uint8_t)~bit;
}

static void cascade(struct pic *p)
{
	set_input(&p->chip[MASTER], CASCADE, pending(&p->chip[SLAVE]) != NONE);
}

void pic_set_line(struct pic *p, unsigned irq, bool high)
{
	set_input(&p->chip[irq / INPUTS], irq % INPUTS, high);
	cascade(p);
}

bool pic_wants(const struct pic *p)
{
	return pending(&p->chip[MASTER]) != NONE;
}

bool pic_is_requested(const struct pic *p, unsigned irq)
{
	return p->chip[irq / INPUTS].requested >> irq % INPUTS & 1;
}

static unsigned acknowledge(struct pic_chip *c)
{
	int input = pending(c);
	uint8_t bit;

	if (input == NONE)
		return SPURIOUS;
	bit = (uint8_t)(1u << input);
	if (!(c->level & bit))
		c->requested &= (uint8_t)~bit;
	if (!c->auto_eoi)
		c->served |= bit;
	else if (c->rotate_at_auto_eoi)
		c->lowest = (uint8_t)input;
	return (unsigned)input;
}

unsigned pic_acknowledge(struct pic *p)
{
	struct pic_chip *master = &p->chip[MASTER], *slave = &p->chip[SLAVE];
	unsigned input = acknowledge(master), vector = master->base + input;

	if (input == CASCADE) {
		vector = slave->base + acknowledge(slave);
		set_input(master, CASCADE,
			  false); /* an acknowledged chip takes its line back, so that the next is an edge */
		cascade(p);
	}
	return vector;
}

void pic_reset(struct pic *p)
{
	*p = (struct pic){.chip = {{.lowest = INPUTS - 1}, {.lowest = INPUTS - 1}}};
}

/* Keeps what is wired to the inputs; an edge before the initialization does not count. */
static void start_init(struct pic_chip *c, uint8_t value)
{
	*c = (struct pic_chip){.lines = c->lines, .level = c->level, .base = c->base, .lowest = INPUTS - 1};
	c->requested = c->lines & c->level;
	c->init = 2;
	c->init_word_3 = !(value & ICW1_SINGLE);
	c->init_word_4 = value & ICW1_WORD_4;
}

static void end_of_interrupt(struct pic_chip *c, uint8_t value)
{
	enum { ROTATE = 0x80, SPECIFIC = 0x40, EOI = 0x20 };
	int input = value & SPECIFIC ? value & 7
				     : first_of(c, c->special_mask ? c->served & (uint8_t)~c->masked : c->served);

	if (value & EOI && input != NONE)
		c->served &= (uint8_t) ~(1u << input);
	if (value & ROTATE && (value & EOI || value & SPECIFIC) && input != NONE)
		c->lowest = (uint8_t)input;
	if (!(value & (SPECIFIC | EOI)))
		c->rotate_at_auto_eoi = value & ROTATE;
}

/* Manual: "Operation control words". ESMM without SMM ends the special mask. */
static void write_command(struct pic_chip *c, uint8_t value)
{
	if (value & ICW1) {
		start_init(c, value);
	} else if (value & OCW3) {
		if (value & OCW3_SET_MASK)
			c->special_mask = value & OCW3_MASK;
		if (value & OCW3_READ)
			c->read_served = value & OCW3_READ_SERVED;
		c->poll = value & OCW3_POLL;
	} else {
		end_of_interrupt(c, value);
	}
}

/* Both chips are there, so that word 3, which says where, has nothing new. */
static void write_data(struct pic_chip *c, uint8_t value)
{
	switch (c->init) {
	case 2:
		c->base = value & 0xf8;
		c->init = c->init_word_3 ? 3 : c->init_word_4 ? 4 : 0;
		break;
	case 3:
		c->init = c->init_word_4 ? 4 : 0;
		break;
	case 4:
		c->auto_eoi = value & ICW4_AUTO_EOI;
		c->fully_nested = value & ICW4_FULLY_NESTED;
		c->init = 0;
		break;
	default:
		c->masked = value;
	}
}

uint8_t pic_read(struct pic *p, uint16_t port)
{
	struct pic_chip *c = &p->chip[port & PORT_SLAVE ? SLAVE : MASTER];
	uint8_t value;

	if ((port & -2) == PIC_LEVELS)
		return p->chip[port & 1].level;
	if (c->poll) {
		bool any = pending(c) != NONE;

		c->poll = false;
		value = any ? 0x80 : 0;
		value |= (uint8_t)acknowledge(c);
		cascade(p);
		return any ? value : 0;
	}
	if (port & PORT_DATA)
		return c->masked;
	return c->read_served ? c->served : c->requested;
}

void pic_write(struct pic *p, uint16_t port, uint8_t value)
{
	struct pic_chip *c = &p->chip[port & PORT_SLAVE ? SLAVE : MASTER];

	if ((port & -2) == PIC_LEVELS) {
		c = &p->chip[port & 1];
		c->level = value & (port & 1 ? LEVEL_SLAVE : LEVEL_MASTER);
		c->requested |= c->lines & c->level;
	} else if (port & PORT_DATA) {
		write_data(c, value);
	} else {
		write_command(c, value);
	}
	cascade(p);
}
