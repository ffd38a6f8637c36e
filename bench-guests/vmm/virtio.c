/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vmm/virtio.h"

enum { VENDOR = 0x1af4, NUMBER_BASE = 0x1040, REVISION_AT = 8, REVISION = 1 };

/* ---- Registers: where they are in the BAR, and the capabilities that say so ---- */

/* 4.1.4.3. A guest sees these fields at each moment for the queue that it has selected. */
struct common {
	uint32_t feature_select, feature, driver_feature_select, driver_feature;
	uint16_t config_vector, queues;
	uint8_t status, generation;
	uint16_t queue_select, queue_size, queue_vector, queue_enable, queue_notify;
	uint64_t queue_descriptors, queue_available, queue_used;
};

enum { COMMON = 0, INTERRUPT = 0x40, NOTIFY = 0x48, NOTIFY_STEP = 2, CONFIG = 0x80, CONFIG_SIZE = 0x40 };
enum { NOTIFY_SIZE = VIRTIO_QUEUES * NOTIFY_STEP, NO_VECTOR = 0xffff };

_Static_assert(offsetof(struct common, status) == 20, "VIRTIO 1.1, 4.1.4.3: device_status");
_Static_assert(offsetof(struct common, queue_used) == 48, "VIRTIO 1.1, 4.1.4.3: queue_device");
_Static_assert(COMMON + sizeof(struct common) <= INTERRUPT && CONFIG + CONFIG_SIZE <= PCI_PORTS, "all in the BAR");

/* 4.1.4, without the two bytes that all capabilities begin with. */
struct capability {
	uint8_t length, type, bar, unused[3];
	uint32_t offset, size;
	uint32_t more; /* the distance of queues' ports; the window of configuration */
} __attribute__((packed));

static unsigned add_capability(struct pci_device *d, uint8_t type, uint32_t offset, uint32_t size, uint32_t more)
{
	enum { VENDOR_SPECIFIC = 9, SHORT = 16, LONG = 20, NOTIFY_TYPE = 2, PCI_TYPE = 5 };
	uint8_t length = type == NOTIFY_TYPE || type == PCI_TYPE ? LONG : SHORT;
	struct capability c = {length, type, 0, {0}, offset, size, more};

	return pci_add_capability(d, VENDOR_SPECIFIC, &c, length - 2u);
}

static void add_capabilities(struct pci_device *d)
{
	enum { COMMON_TYPE = 1, NOTIFY_TYPE, INTERRUPT_TYPE, CONFIG_TYPE, PCI_TYPE };
	unsigned window;

	add_capability(d, COMMON_TYPE, COMMON, sizeof(struct common), 0);
	add_capability(d, NOTIFY_TYPE, NOTIFY, NOTIFY_SIZE, NOTIFY_STEP);
	add_capability(d, INTERRUPT_TYPE, INTERRUPT, 1, 0);
	add_capability(d, CONFIG_TYPE, CONFIG, CONFIG_SIZE, 0);
	window = add_capability(d, PCI_TYPE, 0, 0, 0);
	for (unsigned n = 8; n < 16; n++)
		d->writable[window + n] = 0xff; /* offset and length */
	d->window = (uint8_t)(window + 16);
}

/* ---- State ---- */

/* 2.1 */
enum { DRIVER_OK = 4, FEATURES_OK = 8, NEEDS_RESET = 0x40 };
#define VERSION_1 (1ul << 32)

bool virtio_is_running(const struct virtio *v)
{
	return (v->status & (DRIVER_OK | NEEDS_RESET)) == DRIVER_OK;
}

void virtio_interrupt(struct virtio *v, unsigned reason)
{
	v->interrupt |= (uint8_t)reason;
	pci_set_line(v->bus, v->pci, true);
}

static void run(void *arg)
{
	struct virtio *v = arg;

	v->kind->run(v);
}

/* Only a device that its driver has started is asked for what comes from outside. */
static void set_status(struct virtio *v, uint8_t status)
{
	v->status = status;
	v->pci->run = v->kind->run && virtio_is_running(v) ? run : NULL;
}

void virtio_break(struct virtio *v)
{
	set_status(v, v->status | NEEDS_RESET);
	if (v->status & DRIVER_OK)
		virtio_interrupt(v, VIRTIO_FOR_CONFIG);
}

static void reset(struct virtio *v)
{
	*v = (struct virtio){
		.kind = v->kind, .bus = v->bus, .pci = v->pci, .memory = v->memory, .memory_arg = v->memory_arg};
	for (unsigned n = 0; n < v->kind->queues; n++)
		v->queue[n].size = VIRTIO_QUEUE_SIZE;
	set_status(v, 0);
	pci_set_line(v->bus, v->pci, false);
}

static uint64_t features(const struct virtio *v)
{
	return v->kind->features | VERSION_1;
}

/* Features that the device lacks, or a driver of an older version: the driver sees that FEATURES_OK is not set. */
static void write_status(struct virtio *v, uint8_t status)
{
	bool good = !(v->features & ~features(v)) && v->features & VERSION_1;

	if (!status) {
		reset(v);
		return;
	}
	if (!good)
		status &= (uint8_t)~FEATURES_OK;
	if (!(status & FEATURES_OK))
		status &= (uint8_t)~DRIVER_OK;
	set_status(v, status | (v->status & NEEDS_RESET));
}

/* ---- Access ---- */

static uint32_t half(uint64_t value, uint32_t select)
{
	return select < 2 ? (uint32_t)(value >> 32 * select) : 0;
}

static struct common look(const struct virtio *v)
{
	static const struct virtio_queue none;
	bool has = v->queue_select < v->kind->queues;
	const struct virtio_queue *q = has ? &v->queue[v->queue_select] : &none;

	return (struct common){
		.feature_select = v->feature_select,
		.feature = half(features(v), v->feature_select),
		.driver_feature_select = v->driver_feature_select,
		.driver_feature = half(v->features, v->driver_feature_select),
		.config_vector = NO_VECTOR,
		.queues = v->kind->queues,
		.status = v->status,
		.queue_select = v->queue_select,
		.queue_size = q->size,
		.queue_vector = NO_VECTOR,
		.queue_enable = q->descriptors != NULL,
		.queue_notify = has ? v->queue_select : 0,
		.queue_descriptors = q->descriptors_at,
		.queue_available = q->available_at,
		.queue_used = q->used_at,
	};
}

/* A queue that is enabled stays as it is until the device is reset. */
static void set_queue(struct virtio *v, const struct common *c)
{
	struct virtio_queue *q;

	if (v->queue_select >= v->kind->queues)
		return;
	q = &v->queue[v->queue_select];
	if (q->descriptors)
		return;
	q->size = c->queue_size;
	q->descriptors_at = c->queue_descriptors;
	q->available_at = c->queue_available;
	q->used_at = c->queue_used;
	if (c->queue_enable == 1 && !virtio_queue_enable(v, q))
		virtio_break(v);
}

static void set_features(struct virtio *v, const struct common *c)
{
	unsigned shift = 32 * c->driver_feature_select;

	if (v->status & FEATURES_OK || c->driver_feature_select > 1)
		return;
	v->features = (v->features & ~(0xfffffffful << shift)) | (uint64_t)c->driver_feature << shift;
}

/* The byte is written to what the guest sees; what it may change of that is taken over. */
static void write_common(struct virtio *v, unsigned at, uint8_t value)
{
	struct common c = look(v);

	((uint8_t *)&c)[at] = value;
	if (at == offsetof(struct common, status)) {
		write_status(v, c.status);
	} else if (at >= offsetof(struct common, queue_size)) {
		set_queue(v, &c);
	} else if (at >= offsetof(struct common, driver_feature) && at < offsetof(struct common, config_vector)) {
		set_features(v, &c);
	} else {
		v->feature_select = c.feature_select;
		v->driver_feature_select = c.driver_feature_select;
		v->queue_select = c.queue_select;
	}
}

/* 4.1.4.5: reading it says what happened, and takes the interrupt back. */
static uint8_t read_interrupt(struct virtio *v)
{
	uint8_t value = v->interrupt;

	v->interrupt = 0;
	pci_set_line(v->bus, v->pci, false);
	return value;
}

static uint8_t read(void *arg, unsigned at)
{
	struct virtio *v = arg;

	if (at - COMMON < sizeof(struct common)) {
		struct common c = look(v);

		return ((const uint8_t *)&c)[at];
	}
	if (at == INTERRUPT)
		return read_interrupt(v);
	return at - CONFIG < CONFIG_SIZE && v->kind->config ? v->kind->config(v, at - CONFIG) : 0;
}

/* A notification is two bytes with the queue's number, which its place says, too. */
static void write(void *arg, unsigned at, uint8_t value)
{
	struct virtio *v = arg;
	unsigned queue = (at - NOTIFY) / NOTIFY_STEP;

	if (at - COMMON < sizeof(struct common))
		write_common(v, at, value);
	else if (at - NOTIFY < NOTIFY_SIZE && at % NOTIFY_STEP == 0 && queue < v->kind->queues &&
		 virtio_is_running(v))
		v->kind->notify(v, queue);
}

bool virtio_add(struct virtio *v, const struct virtio_kind *kind, struct pci *bus, virtio_memory_fn *memory,
		const void *memory_arg)
{
	struct pci_device *d = pci_add(bus, VENDOR, (uint16_t)(NUMBER_BASE + kind->number), kind->class_code);

	if (!d)
		return false;
	*v = (struct virtio){.kind = kind, .bus = bus, .pci = d, .memory = memory, .memory_arg = memory_arg};
	d->config[REVISION_AT] = REVISION;
	d->read = read;
	d->write = write;
	d->arg = v;
	add_capabilities(d);
	reset(v);
	return true;
}
