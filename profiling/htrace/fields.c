/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Manual: Intel SDM volume 3, "VMX basic exit reasons" and "Protected-mode exceptions and interrupts". */
#include "fields.h"

#include <stdio.h>
#include <string.h>

static const char *const statuses[] = {
#define X(n, name, text) [n] = #name,
	STATUS_LIST(X)
#undef X
};

static const char *const exceptions[] = {
	[0] = "#DE",  [1] = "#DB",  [2] = "NMI",      [3] = "#BP",     [4] = "#OF",  [5] = "#BR",
	[6] = "#UD",  [7] = "#NM",  [8] = "#DF",      [10] = "#TS",    [11] = "#NP", [12] = "#SS",
	[13] = "#GP", [14] = "#PF", [16] = "#MF",     [17] = "#AC",    [18] = "#MC", [19] = "#XM",
	[20] = "#VE", [21] = "#CP", [30] = "startup", [31] = "recall",
};

static const char *const exits[] = {
	[0] = "exception",
	[1] = "interrupt",
	[2] = "triple_fault",
	[3] = "init",
	[4] = "sipi",
	[7] = "interrupt_window",
	[8] = "nmi_window",
	[9] = "task_switch",
	[10] = "cpuid",
	[11] = "getsec",
	[12] = "hlt",
	[13] = "invd",
	[14] = "invlpg",
	[15] = "rdpmc",
	[16] = "rdtsc",
	[17] = "rsm",
	[18] = "vmcall",
	[19] = "vmclear",
	[20] = "vmlaunch",
	[21] = "vmptrld",
	[22] = "vmptrst",
	[23] = "vmread",
	[24] = "vmresume",
	[25] = "vmwrite",
	[26] = "vmxoff",
	[27] = "vmxon",
	[28] = "cr",
	[29] = "dr",
	[30] = "io",
	[31] = "rdmsr",
	[32] = "wrmsr",
	[33] = "bad_state",
	[34] = "bad_msr",
	[36] = "mwait",
	[37] = "trap_flag",
	[39] = "monitor",
	[40] = "pause",
	[41] = "machine_check",
	[43] = "tpr",
	[44] = "apic_access",
	[45] = "eoi",
	[46] = "gdt_idt",
	[47] = "ldt_tr",
	[48] = "ept_violation",
	[49] = "ept_misconfig",
	[50] = "invept",
	[51] = "rdtscp",
	[52] = "timer",
	[53] = "invvpid",
	[54] = "wbinvd",
	[55] = "xsetbv",
	[56] = "apic_write",
	[57] = "rdrand",
	[58] = "invpcid",
	[59] = "vmfunc",
	[60] = "encls",
	[61] = "rdseed",
	[62] = "pml_full",
	[63] = "xsaves",
	[64] = "xrstors",
	[255] = "poke",
};

static const char *const ways[] = {[TRACE_RESUME_SYSRET] = "sysret",
				   [TRACE_RESUME_IRET] = "iret",
				   [TRACE_RESUME_IDLE] = "idle",
				   [TRACE_RESUME_OTHER] = "other"};

static const char *const modes[] = {
	[TRACE_MODE_KERNEL] = "kernel", [TRACE_MODE_USER] = "user", [TRACE_MODE_GUEST] = "guest"};

static const char *entry(const char *const *list, size_t count, uint64_t index)
{
	return index < count && list[index] ? list[index] : "";
}

const char *field_hypercall(unsigned number)
{
	if (number == HC_TRACE_CTRL)
		return "trace_ctrl";
	return number < TRACE_PATH_EXTENSION ? trace_path_name(number) : "";
}
const char *field_exit(unsigned reason)
{
	return entry(exits, array_size(exits), reason);
}
const char *field_exception(unsigned vector)
{
	return entry(exceptions, array_size(exceptions), vector);
}
const char *field_mode(unsigned mode)
{
	return entry(modes, array_size(modes), mode);
}

const char *field_status(unsigned status)
{
	return entry(statuses, array_size(statuses), status);
}
const char *field_way(unsigned how)
{
	return entry(ways, array_size(ways), how);
}

void fields_of(const struct trace_record *r, struct field fields[FIELDS])
{
	static const char *const names[TRACE_EVENTS][FIELDS] = {
#define X(n, name, extra, a, b, text) [n] = {extra, a, b},
		TRACE_LIST(X)
#undef X
	};

	for (unsigned i = 0; i < FIELDS; i++)
		fields[i].name = names[r->event][i];
	fields[0].value = r->extra;
	fields[1].value = r->a;
	fields[2].value = r->b;
}

bool field_object(const char *name, enum object_kind *kind)
{
	static const struct {
		const char *name;
		enum object_kind kind;
	} objects[] = {
		{"ec", OBJECT_EC}, {"from", OBJECT_EC}, {"to", OBJECT_EC}, {"pd", OBJECT_PD}, {"vcpu", OBJECT_VCPU}};

	for (size_t i = 0; i < array_size(objects); i++)
		if (!strcmp(name, objects[i].name)) {
			*kind = objects[i].kind;
			return true;
		}
	return false;
}

static void code_text(const struct view *view, const struct trace_record *r, uint64_t address, char *out)
{
	unsigned mode = r->event == TRACE_NMI || r->event == TRACE_SAMPLE ? r->extra
			: r->event == TRACE_VM_EXIT                       ? TRACE_MODE_GUEST
									  : TRACE_MODE_USER;
	const struct symbol *symbol = view_symbol(view, mode, address);

	if (symbol && symbol->address == address)
		snprintf(out, FIELD_TEXT_MAX, "%.120s", symbol->name);
	else if (symbol)
		snprintf(out, FIELD_TEXT_MAX, "%.120s+0x%jx", symbol->name, (uintmax_t)(address - symbol->address));
	else
		snprintf(out, FIELD_TEXT_MAX, "0x%jx", (uintmax_t)address);
}

/* A name, or the number if there is none. */
static void name_text(const char *name, uint64_t value, char *out)
{
	if (*name)
		snprintf(out, FIELD_TEXT_MAX, "%s", name);
	else
		snprintf(out, FIELD_TEXT_MAX, "%ju", (uintmax_t)value);
}

static void object_text(const struct view *view, enum object_kind kind, uint64_t address, char *out)
{
	static const char *const prefixes[] = {[OBJECT_EC] = "EC", [OBJECT_PD] = "PD", [OBJECT_VCPU] = "VCPU"};
	unsigned number = view_object(view, kind, address);

	if (kind == OBJECT_EC && view_object(view, OBJECT_IDLE, address))
		snprintf(out, FIELD_TEXT_MAX, "idle");
	else if (number)
		snprintf(out, FIELD_TEXT_MAX, "%s%u", prefixes[kind], number);
	else
		snprintf(out, FIELD_TEXT_MAX, "none");
}

void field_text(const struct view *view, const struct trace_record *r, const struct field *field,
		char out[FIELD_TEXT_MAX])
{
	static const struct {
		const char *field;
		const char *(*name)(unsigned value);
	} named[] = {{"status", field_status},
		     {"reason", field_exit},
		     {"vector", field_exception},
		     {"how", field_way},
		     {"mode", field_mode}};
	static const char *const decimals[] = {"number", "cpu", "cpus", "priority", "signalled"};
	enum object_kind kind;

	for (size_t i = 0; i < array_size(named); i++)
		if (!strcmp(field->name, named[i].field)) {
			name_text(named[i].name((unsigned)field->value), field->value, out);
			return;
		}
	if (r->event == TRACE_HYPERCALL && !strcmp(field->name, "number")) {
		name_text(field_hypercall((unsigned)field->value), field->value, out);
		return;
	}
	if (!strcmp(field->name, "rip")) {
		code_text(view, r, field->value, out);
		return;
	}
	if (field_object(field->name, &kind)) {
		object_text(view, kind, field->value, out);
		return;
	}
	for (size_t i = 0; i < array_size(decimals); i++)
		if (!strcmp(field->name, decimals[i])) {
			name_text("", field->value, out);
			return;
		}
	snprintf(out, FIELD_TEXT_MAX, "0x%jx", (uintmax_t)field->value);
}
