/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fleet/script.h"

#include "host/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *script_server(const struct inventory *inventory)
{
	const struct inventory_network *n = &inventory->lab.network;

	return xasprintf("http://%s:%u", n->address, n->http_port);
}

/*
 * netX is the card that iPXE has opened last, which is the one it booted from; net0 is only the first of the machine.
 * The words in the query are for the server's log: what machine this is, even if nothing else works.
 */
void script_start(FILE *out, const struct inventory *inventory)
{
	char *server = script_server(inventory);

	fprintf(out,
		"#!ipxe\n"
		"chain --autofree %s/" SCRIPT_NODES "/${netX/mac:hexhyp}.ipxe?product=${product:uristring}"
		"&bios=${smbios/0.5.0:uristring} || goto fail\n"
		":fail\n"
		"echo FLEET-BOOT-FAIL ipxe: errno=${errno}\n"
		"sleep 1\n"
		"reboot\n",
		server);
	free(server);
}

static void print_menu(FILE *out, const struct inventory *inventory, const struct inventory_machine *m,
		       const char *title)
{
	fprintf(out, "menu %s of %s\n", m->name, inventory->lab.name);
	if (title)
		fprintf(out, "item run %s\n", title);
	fputs("item own What the machine boots by itself\n"
	      "item shell A shell of iPXE\n"
	      "item again Start again\n",
	      out);
	fprintf(out, "choose --default %s --timeout %u selected || goto fail\n", title ? "run" : "own",
		inventory->lab.menu_seconds * 1000);
	fputs("goto ${selected}\n", out);
}

void script_machine(FILE *out, const struct inventory *inventory, const struct inventory_machine *m,
		    const char *payload, const char *title)
{
	char *server = script_server(inventory);

	fputs("#!ipxe\n", out);
	print_menu(out, inventory, m, payload ? title : NULL);
	if (payload)
		fprintf(out, ":run\nchain --autofree %s/" SCRIPT_PAYLOADS "/%s/boot.ipxe || goto fail\n", server,
			payload);
	fputs(":fail\n"
	      "echo FLEET-BOOT-FAIL ipxe: errno=${errno}\n"
	      "sleep 1\n"
	      ":again\n"
	      "reboot\n"
	      ":shell\n"
	      "shell\n"
	      "goto again\n"
	      ":own\n"
	      "exit\n",
	      out);
	free(server);
}

/* --- dnsmasq --- */

static void print_range(FILE *out, const struct inventory_network *n)
{
	if (n->dhcp == DHCP_PROXY)
		fprintf(out, "dhcp-range=%s,proxy,%s\n", n->address, n->netmask);
	else if (n->first)
		fprintf(out, "dhcp-range=%s,%s,%s,1h\n", n->first, n->last, n->netmask);
	else
		fprintf(out, "dhcp-range=%s,static,%s,1h\n", n->address, n->netmask);
}

static void print_host(FILE *out, const struct inventory_network *n, const struct inventory_machine *m)
{
	char *mac = inventory_mac_name(m);

	fprintf(out, "dhcp-host=%s,set:%s", m->mac, mac);
	if (n->dhcp == DHCP_FULL && m->address)
		fprintf(out, ",%s", m->address);
	fputc('\n', out);
	free(mac);
}

/* UEFI's own network boot: by TFTP, or by HTTP where the firmware asks for that. */
static void print_efi(FILE *out, const struct inventory *inventory, const struct inventory_machine *m)
{
	char *mac = inventory_mac_name(m), *server = script_server(inventory);

	if (inventory->lab.network.dhcp == DHCP_PROXY) {
		fprintf(out, "pxe-service=tag:%s,tag:!ipxe,X86-64_EFI,hedron," SCRIPT_NODES "/%s/job.efi\n", mac,
			mac);
		fprintf(out, "pxe-service=tag:%s,tag:!ipxe,BC_EFI,hedron," SCRIPT_NODES "/%s/job.efi\n", mac, mac);
	} else {
		fprintf(out, "dhcp-boot=tag:%s,tag:!ipxe,tag:efihttp,%s/" SCRIPT_NODES "/%s/job.efi\n", mac, server,
			mac);
		fprintf(out, "dhcp-boot=tag:%s,tag:!ipxe,tag:!efihttp,tag:efi64," SCRIPT_NODES "/%s/job.efi\n", mac,
			mac);
	}
	free(server);
	free(mac);
}

/* iPXE takes a file's name from a proxy only if it comes with a server's address. */
static void print_bios(FILE *out, const struct inventory *inventory)
{
	bool proxy = inventory->lab.network.dhcp == DHCP_PROXY;
	char *server = script_server(inventory);

	fprintf(out, "dhcp-boot=tag:ipxe,%s/boot.ipxe,%s,%s\n", server, inventory->lab.name,
		inventory->lab.network.address);
	fputs(proxy ? "pxe-service=tag:!ipxe,x86PC,hedron,undionly.kpxe\n"
		    : "dhcp-boot=tag:!ipxe,tag:!efi64,tag:!efihttp,undionly.kpxe\n",
	      out);
	free(server);
}

static void print_kinds(FILE *out)
{
	fputs("dhcp-match=set:ipxe,175\n"
	      "dhcp-match=set:efi64,option:client-arch,7\n"
	      "dhcp-match=set:efi64,option:client-arch,9\n"
	      "dhcp-vendorclass=set:efihttp,HTTPClient:Arch:00016\n"
	      "dhcp-option-force=tag:efihttp,60,HTTPClient\n",
	      out);
}

void script_dnsmasq(FILE *out, const struct inventory *inventory, const char *state)
{
	const struct inventory_network *n = &inventory->lab.network;

	/* No DNS, one interface only, and answers for the machines of the inventory only. */
	fprintf(out,
		"port=0\n"
		"interface=%s\n"
		"bind-interfaces\n"
		"except-interface=lo\n"
		"no-resolv\n"
		"no-hosts\n"
		"pid-file=\n"
		"log-dhcp\n"
		"dhcp-leasefile=%s/leases\n"
		"dhcp-ignore=tag:!known\n",
		n->interface, state);
	print_range(out, n);
	print_kinds(out);
	print_bios(out, inventory);
	for (unsigned i = 0; i < inventory->machines_count; i++)
		if (inventory->machines[i].boot == BOOT_NETWORK) {
			print_host(out, n, &inventory->machines[i]);
			print_efi(out, inventory, &inventory->machines[i]);
		}
	fprintf(out, "enable-tftp\ntftp-root=%s\n", inventory->lab.folders.boot);
}
