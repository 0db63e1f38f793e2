/*-------------------------------------------------------------------------
 *
 * calendar.h
 *	  Days and dates of the proleptic Gregorian calendar.
 *
 * The text form of a history must not depend on DateStyle, and its years go
 * on through 0 to the negative ones as ISO 8601 counts them.
 *
 * No server calls: the unit drivers compile this alone.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CHURN_CALENDAR_H
#define CHURN_CALENDAR_H

#include <stdbool.h>
#include <stdint.h>

extern int32_t calendar_day(int64_t year, int month, int day);
extern void calendar_date(int32_t days, int *year, int *month, int *day);
extern int	calendar_month_days(int64_t year, int month);

#endif							/* CHURN_CALENDAR_H */
