/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The MC146818 clock of a PC with its battery-backed memory: time of day, alarm, periodic and update interrupts
 * (interrupt 8). Manual: Motorola MC146818A data sheet. Ports: 0x70 (index), 0x71 (data).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define RTC_BYTES 128

/* A date in the Gregorian calendar. Months and days count from 1; Sunday is day 1 of the week. */
struct rtc_date {
	unsigned year, month, day, hour, minute, second, weekday;
};

struct rtc {
	uint8_t index;
	uint8_t byte[RTC_BYTES]; /* but for the time, which is computed */
	uint64_t epoch;          /* seconds since 1970 at the VM's start */
	struct rtc_date frozen;  /* what it shows while register A or B stops it */
	uint64_t seen_second;    /* updates and alarms up to here were told */
	uint64_t next_periodic;  /* when the periodic flag comes, NEVER without a rate */
};

void rtc_reset(struct rtc *r, uint64_t epoch);

/* The time at which rtc_run() raises the line, NEVER if no interrupt is enabled that has not come yet. */
uint64_t rtc_next(const struct rtc *r, uint64_t now);
void rtc_run(struct rtc *r, uint64_t now);
bool rtc_interrupt(const struct rtc *r); /* level of its interrupt line */

uint8_t rtc_read(struct rtc *r, uint16_t port, uint64_t now);
void rtc_write(struct rtc *r, uint16_t port, uint8_t value, uint64_t now);

/* Seconds since 1970, and back. */
uint64_t rtc_seconds(const struct rtc_date *d);
struct rtc_date rtc_date(uint64_t seconds);
