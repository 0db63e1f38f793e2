/*
 * sources: src/history/calendar.c
 *
 * The calendar, against counting day by day.
 */
#include "tap.h"

#include "history/calendar.h"

/* Walk from one day to another, comparing both directions. */
static bool
check_walk(int32_t from, int32_t to)
{
	int			year,
				month,
				day;

	calendar_date(from, &year, &month, &day);
	for (int32_t days = from; days <= to; days++)
	{
		int			y,
					m,
					d;

		calendar_date(days, &y, &m, &d);
		if (y != year || m != month || d != day ||
			calendar_day(y, m, d) != days)
			return false;
		if (++day > calendar_month_days(year, month))
		{
			day = 1;
			if (++month > 12)
			{
				month = 1;
				year++;
			}
		}
	}
	return true;
}

int
main(void)
{
	int			year,
				month,
				day;

	tap_ok(calendar_day(2000, 1, 1) == 0 && calendar_day(2024, 2, 29) == 8825,
		   "known days");
	tap_ok(calendar_day(-4713, 11, 24) == -2451545 &&
		   calendar_day(5874897, 12, 31) == 2145031948, "the limits of date");
	calendar_date(-730119, &year, &month, &day);
	tap_ok(year == 1 && month == 1 && day == 1, "the first day of year 1");
	calendar_date(-730120, &year, &month, &day);
	tap_ok(year == 0 && month == 12 && day == 31, "and the day before");
	tap_ok(check_walk(-2451545, -2251545), "long before");
	tap_ok(check_walk(-760000, 200000), "from before year 0 to 2547");
	tap_ok(check_walk(2144000000, 2145031948), "long after");
	return tap_done();
}
