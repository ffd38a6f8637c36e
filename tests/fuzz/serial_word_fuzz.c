/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Input: what follows `serial=`. */
#include "fuzz.h"

#include "platform/serial_word.h"

/* Where a UART may be, with registers that do not leave their page. */
static bool is_sound(const struct serial_word *w)
{
	u64 size = (u64)UART_REGISTERS * (w->stride ? w->stride : 1);

	switch (w->place) {
	case SERIAL_AUTO:
		return !w->at;
	case SERIAL_PORT:
		return w->at && w->at <= 0xfff8 && w->at % 8 == 0 && w->stride <= 1;
	case SERIAL_MMIO:
		return w->at && w->at % size == 0;
	case SERIAL_PCI:
		return w->at <= 0xffff;
	default:
		return false;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct serial_word w;
	char *text = malloc(size ? size : 1); /* exactly as long as it is */

	memcpy(text, data, size);
	if (!serial_word_parse(text, size, &w))
		CHECK(w.place == SERIAL_AUTO && !w.at && !w.baud && !w.clock && !w.stride);
	CHECK(is_sound(&w));
	CHECK(w.stride <= 2 || w.stride == 4);
	CHECK(!w.baud || !(w.lcr & ~0x1fu));
	CHECK(!w.baud || w.place == SERIAL_AUTO || uart_divisor(w.clock ? w.clock : UART_CLOCK, w.baud));
	free(text);
	return 0;
}
