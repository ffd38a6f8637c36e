/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fleet/inventory_schema.h"

#include "fleet/inventory.h"

enum { TEXT_MAX = 4096, WORDS_MAX = 64, MACHINES_MAX = 10000 };

/* Pointer so that a value that is not there differs from an empty one. */
#define TEXT(key, type, member) \
	CYAML_FIELD_STRING_PTR(key, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, type, member, 1, TEXT_MAX)
#define TEXT_NEEDED(key, type, member) CYAML_FIELD_STRING_PTR(key, CYAML_FLAG_POINTER, type, member, 1, TEXT_MAX)
#define WORDS(key, type, member) \
	CYAML_FIELD_SEQUENCE(key, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, type, member, &word, 1, WORDS_MAX)
#define NUMBER(key, type, member) CYAML_FIELD_UINT(key, CYAML_FLAG_OPTIONAL, type, member)
#define NUMBER_OR_NONE(key, type, member) \
	CYAML_FIELD_UINT_PTR(key, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, type, member)
#define CHOICE(key, flags, type, member, names) \
	CYAML_FIELD_ENUM(key, CYAML_FLAG_STRICT | (flags), type, member, names, array_size(names))

static const cyaml_schema_value_t word = {CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 0, TEXT_MAX)};

static const cyaml_strval_t firmwares[] = {{"bios", FIRMWARE_BIOS}, {"uefi", FIRMWARE_UEFI}};
static const cyaml_strval_t boots[] = {{"network", BOOT_NETWORK}, {"itself", BOOT_ITSELF}};
static const cyaml_strval_t metrics[] = {{"ticks", METRIC_TICKS}, {"instructions", METRIC_INSTRUCTIONS}};
static const cyaml_strval_t afters[] = {{"off", AFTER_OFF}, {"on", AFTER_ON}, {"leave", AFTER_LEAVE}};
static const cyaml_strval_t dhcps[] = {{"full", DHCP_FULL}, {"proxy", DHCP_PROXY}, {"none", DHCP_NONE}};
static const cyaml_strval_t consoles[] = {
	{"tty", CONSOLE_TTY},   {"tcp", CONSOLE_TCP},   {"qemu", CONSOLE_QEMU}, {"command", CONSOLE_COMMAND},
	{"file", CONSOLE_FILE}, {"ipmi", CONSOLE_IPMI}, {"ram", CONSOLE_RAM}};
static const cyaml_strval_t powers[] = {
	{"command", POWER_COMMAND}, {"ipmi", POWER_IPMI}, {"powerman", POWER_POWERMAN}};

static const cyaml_strval_t looks[] = {{"never", LOOK_NEVER}, {"run", LOOK_RUN}, {"once", LOOK_ONCE}};
static const cyaml_strval_t unfits[] = {{"warn", UNFIT_WARN}, {"refuse", UNFIT_REFUSE}};

static const cyaml_strval_t privileges[] = {
	{"user", PRIVILEGE_USER}, {"operator", PRIVILEGE_OPERATOR}, {"administrator", PRIVILEGE_ADMINISTRATOR}};

/* Of what has a management controller, for its power or its console. */
#define BMC_FIELDS(type)                                                                            \
	TEXT("host", type, bmc.host), NUMBER("port", type, bmc.port), TEXT("user", type, bmc.user), \
		TEXT("password_file", type, bmc.password_file),                                     \
		NUMBER_OR_NONE("cipher_suite", type, bmc.cipher_suite),                             \
		CHOICE("privilege", CYAML_FLAG_OPTIONAL, type, bmc.privilege, privileges),          \
		WORDS("options", type, bmc.options)

static const cyaml_schema_field_t console_fields[] = {
	CHOICE("type", 0, struct inventory_console, type, consoles),
	TEXT("device", struct inventory_console, device),
	NUMBER("speed", struct inventory_console, speed),
	TEXT("address", struct inventory_console, address),
	TEXT("path", struct inventory_console, path),
	WORDS("command", struct inventory_console, command),
	BMC_FIELDS(struct inventory_console),
	NUMBER("instance", struct inventory_console, instance),
	NUMBER("kib", struct inventory_console, kib),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t power_fields[] = {
	CHOICE("type", 0, struct inventory_power, type, powers),
	WORDS("on", struct inventory_power, on),
	WORDS("off", struct inventory_power, off),
	WORDS("cycle", struct inventory_power, cycle),
	WORDS("status", struct inventory_power, status),
	BMC_FIELDS(struct inventory_power),
	TEXT("interface", struct inventory_power, interface),
	TEXT("node", struct inventory_power, node),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t timeout_fields[] = {
	NUMBER("power", struct inventory_timeouts, power),
	NUMBER_OR_NONE("settle", struct inventory_timeouts, settle),
	NUMBER("boot", struct inventory_timeouts, boot),
	NUMBER("run", struct inventory_timeouts, run),
	NUMBER("silence", struct inventory_timeouts, silence),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t probe_fields[] = {
	CHOICE("when", CYAML_FLAG_OPTIONAL, struct inventory_probe, when, looks),
	CHOICE("unfit", CYAML_FLAG_OPTIONAL, struct inventory_probe, unfit, unfits),
	NUMBER("seconds", struct inventory_probe, seconds),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t machine_fields[] = {
	TEXT_NEEDED("name", struct inventory_machine, name),
	TEXT("mac", struct inventory_machine, mac),
	TEXT("address", struct inventory_machine, address),
	CHOICE("firmware", CYAML_FLAG_OPTIONAL, struct inventory_machine, firmware, firmwares),
	CHOICE("boot", CYAML_FLAG_OPTIONAL, struct inventory_machine, boot, boots),
	CHOICE("metric", CYAML_FLAG_OPTIONAL, struct inventory_machine, metric, metrics),
	CYAML_FIELD_MAPPING("console", CYAML_FLAG_DEFAULT, struct inventory_machine, console, console_fields),
	CYAML_FIELD_MAPPING("power", CYAML_FLAG_DEFAULT, struct inventory_machine, power, power_fields),
	CHOICE("after", CYAML_FLAG_OPTIONAL, struct inventory_machine, after, afters),
	CYAML_FIELD_MAPPING("timeouts", CYAML_FLAG_OPTIONAL, struct inventory_machine, timeouts, timeout_fields),
	CYAML_FIELD_MAPPING("probe", CYAML_FLAG_OPTIONAL, struct inventory_machine, probe, probe_fields),
	NUMBER_OR_NONE("retries", struct inventory_machine, retries),
	WORDS("tags", struct inventory_machine, tags),
	WORDS("suites", struct inventory_machine, suites),
	TEXT("append", struct inventory_machine, append),
	TEXT("baseline", struct inventory_machine, baseline),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t network_fields[] = {
	TEXT("interface", struct inventory_network, interface),
	TEXT("address", struct inventory_network, address),
	TEXT("netmask", struct inventory_network, netmask),
	CHOICE("dhcp", CYAML_FLAG_OPTIONAL, struct inventory_network, dhcp, dhcps),
	TEXT("first", struct inventory_network, first),
	TEXT("last", struct inventory_network, last),
	NUMBER("http_port", struct inventory_network, http_port),
	TEXT("user", struct inventory_network, user),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t folder_fields[] = {
	TEXT("boot", struct inventory_folders, boot),
	TEXT("runs", struct inventory_folders, runs),
	TEXT("locks", struct inventory_folders, locks),
	TEXT("baselines", struct inventory_folders, baselines),
	TEXT("keys", struct inventory_folders, keys),
	TEXT("probes", struct inventory_folders, probes),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t lab_fields[] = {
	TEXT_NEEDED("name", struct inventory_lab, name),
	CYAML_FIELD_MAPPING("network", CYAML_FLAG_OPTIONAL, struct inventory_lab, network, network_fields),
	CYAML_FIELD_MAPPING("directories", CYAML_FLAG_OPTIONAL, struct inventory_lab, folders, folder_fields),
	TEXT("database", struct inventory_lab, database),
	CHOICE("after", CYAML_FLAG_OPTIONAL, struct inventory_lab, after, afters),
	CYAML_FIELD_MAPPING("timeouts", CYAML_FLAG_OPTIONAL, struct inventory_lab, timeouts, timeout_fields),
	CYAML_FIELD_MAPPING("probe", CYAML_FLAG_OPTIONAL, struct inventory_lab, probe, probe_fields),
	NUMBER_OR_NONE("retries", struct inventory_lab, retries),
	NUMBER("menu_seconds", struct inventory_lab, menu_seconds),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t machine = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct inventory_machine, machine_fields)};

static const cyaml_schema_field_t fields[] = {
	CYAML_FIELD_MAPPING("lab", CYAML_FLAG_DEFAULT, struct inventory, lab, lab_fields),
	CYAML_FIELD_SEQUENCE("machines", CYAML_FLAG_POINTER, struct inventory, machines, &machine, 1, MACHINES_MAX),
	CYAML_FIELD_END,
};

const cyaml_schema_value_t inventory_schema = {CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct inventory, fields)};
