/*-------------------------------------------------------------------------
 *
 * shop.h
 *	  A simulated shop: its calendar, its users, a user's events.
 *
 * Time inside is a double: days since the midnight (UTC) that begins the
 * start date.  doc/simulate.md has all formulas.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CHURN_SHOP_H
#define CHURN_SHOP_H

#include "datatype/timestamp.h"
#include "utils/date.h"

#define SHOP_MAX_USERS		50000000
#define SHOP_MAX_DAYS		3650	/* days, and each of window and gap */
#define SHOP_MAX_RATE		24.0	/* orders a day; a higher draw is cut */
#define SHOP_SLACK_DAYS		28.0	/* length of the slackening */

typedef enum ShopKind
{
	SHOP_CART,
	SHOP_ORDER,
	SHOP_REFUND,
	SHOP_TICKET,
	SHOP_VIEW,
	SHOP_KINDS					/* number of kinds */
} ShopKind;

extern const char *const shop_kind_names[SHOP_KINDS];

/* What the caller chooses; checked before it gets here. */
typedef struct ShopSettings
{
	int			users;			/* 1 .. SHOP_MAX_USERS */
	int			days;			/* 1 .. SHOP_MAX_DAYS */
	int64		seed;
	DateADT		start;			/* finite */
	bool		seasons;
	bool		slackening;
	bool		bots;
	bool		late_arrivals;
	double		r,				/* purchase rate ~ Gamma(r, alpha), a day */
				alpha;
	double		s,				/* drop-out hazard ~ Gamma(s, beta), a day */
				beta;
} ShopSettings;

/* The settings and what is computed from them once */
typedef struct Shop
{
	ShopSettings set;
	int			horizon;		/* days the calendar covers, >= set.days */
	double	   *factor;			/* [horizon] season factor of a day, above 0 */
	double	   *elapsed;		/* [horizon + 1] sum of the factors before */
} Shop;

/* The truth about one user */
typedef struct ShopUser
{
	int64		id;				/* 1 .. users */
	bool		is_bot;
	double		joined;			/* day of the first order, in [0, days) */
	double		left;			/* day of leaving, above joined; may be inf */
	double		purchase_rate;	/* orders a day while alive */
	double		dropout_rate;	/* a day */
	double		spend_level;	/* mean of an order's amount */
	double		visit_rate;		/* visits without an order, a day */
	double		trouble;		/* own factor of refunds and tickets */
} ShopUser;

typedef struct ShopEvent
{
	TimestampTz ts;
	TimestampTz known_at;		/* >= ts */
	double		amount;			/* of orders and refunds, else 0 */
	ShopKind	kind;
} ShopEvent;

/* Events of one user, used again for the next; grows, never shrinks */
typedef struct ShopEvents
{
	int			count;
	int			capacity;
	ShopEvent  *event;
} ShopEvents;

/* Everything is allocated in the current context. */
extern Shop *shop_open(const ShopSettings *settings, int horizon);
extern ShopEvents *shop_events_create(void);

/* The shop's own time at a calendar time in [0, horizon]. */
extern double shop_elapsed_at(const Shop *shop, double time);

/* Draw user "id" of the shop. */
extern void shop_draw_user(const Shop *shop, int64 id, ShopUser *user);

/* Replace the buffer's content by the user's events in order of time. */
extern void shop_draw_events(const Shop *shop, const ShopUser *user,
							 ShopEvents *events);

/*
 * Probability that a user alive at the start of day "as_of" orders nothing
 * in the days [from, until), as_of <= from <= until <= horizon.
 */
extern double shop_p_no_order(const Shop *shop, const ShopUser *user,
							  int as_of, int from, int until);

/* The same, knowing besides how far the slackening has come at as_of. */
extern double shop_p_no_order_signs(const Shop *shop, const ShopUser *user,
									int as_of, int from, int until);

#endif							/* CHURN_SHOP_H */
