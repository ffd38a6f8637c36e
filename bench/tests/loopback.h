/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The loopback interface, which a network namespace has but may not have switched on. */
#pragma once

#include "test.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>

/* UDP: connecting looks for a route and sends nothing. */
static inline bool loopback_is_up(void)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_port = htons(9), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	bool up = fd >= 0 && !connect(fd, (struct sockaddr *)&address, sizeof(address));

	close(fd);
	return up;
}

/* Skips the test that calls it, if there is no way to 127.0.0.1. */
static inline void need_loopback(void)
{
	if (loopback_is_up())
		return;
	print_message("skipped: 127.0.0.1 cannot be reached; as root: ip link set lo up\n");
	skip();
}
