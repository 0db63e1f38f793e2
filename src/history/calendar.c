/*-------------------------------------------------------------------------
 *
 * calendar.c
 *	  Days and dates of the proleptic Gregorian calendar.
 *
 * Years are taken to begin in March, so that the leap day is their last, and
 * are counted within eras of 400 years, which have 146097 days.
 *
 *-------------------------------------------------------------------------
 */
#include "history/calendar.h"

#define ERA_YEARS		400
#define ERA_DAYS		146097
#define EPOCH_SHIFT		730425	/* days from 0000-03-01 to 2000-01-01 */

/* Quotient rounded down, for a positive divisor. */
static int64_t
floor_divide(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

/* Days in a month. */
int
calendar_month_days(int64_t year, int month)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

	if (month == 2 && year % 4 == 0 && (year % 100 != 0 || year % 400 == 0))
		return 29;
	return days[month - 1];
}

/* Days from 2000-01-01 to a valid date; years within six million. */
int32_t
calendar_day(int64_t year, int month, int day)
{
	int64_t		era;
	int64_t		of_era;
	int			of_year;

	if (month <= 2)
		year--;
	era = floor_divide(year, ERA_YEARS);
	of_era = year - era * ERA_YEARS;
	/* months from March have 31 30 31 30 31 days, twice and a bit */
	of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
	return (int32_t) (era * ERA_DAYS + of_era * 365 + of_era / 4 -
					  of_era / 100 + of_year - EPOCH_SHIFT);
}

/* The date that is so many days after 2000-01-01. */
void
calendar_date(int32_t days, int *year, int *month, int *day)
{
	int64_t		shifted = (int64_t) days + EPOCH_SHIFT;
	int64_t		era = floor_divide(shifted, ERA_DAYS);
	int			of_era = (int) (shifted - era * ERA_DAYS);
	int			years = (of_era - of_era / 1460 + of_era / 36524 -
						 of_era / 146096) / 365;
	int			of_year = of_era - (365 * years + years / 4 - years / 100);
	int			from_march = (5 * of_year + 2) / 153;

	*day = of_year - (153 * from_march + 2) / 5 + 1;
	*month = (from_march + 2) % 12 + 1;
	*year = (int) (era * ERA_YEARS) + years + (*month <= 2);
}
