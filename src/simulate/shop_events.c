/*-------------------------------------------------------------------------
 *
 * shop_events.c
 *	  The events of one user of the simulated shop.
 *
 * Orders and visits are Poisson processes in the shop's own time, which runs
 * faster on busy days: the k-th event is where the summed season factors
 * reach the k-th partial sum of exponentials.  That is exact, and costs one
 * logarithm an event.  What belongs to an order or a visit stays within its
 * day, so that nothing but refunds and tickets happens outside the days from
 * joining to leaving.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "utils/memutils.h"

#include "simulate/draw.h"
#include "simulate/shop.h"
#include "simulate/purpose.h"

#define BASKET_USECS	(30 * USECS_PER_MINUTE) /* views before an order */
#define VISIT_USECS		(20 * USECS_PER_MINUTE) /* views of a visit */
#define SLACK_FLOOR		0.1		/* share of visits left at leaving */
#define CART_SHARE		0.9		/* of orders that went through a cart */
#define IDLE_CART_SHARE 0.12	/* of visits that leave a cart behind */
#define REFUND_SHARE	0.05	/* of orders, times the user's trouble */
#define TICKET_SHARE	0.05	/* of orders, times the user's trouble */
#define TROUBLE_MAX		0.5		/* highest share of refunds, of tickets */
#define LATE_SHARE		0.03	/* of events that are known late */
#define LATE_MEAN_DAYS	3.0
#define LATE_MAX_DAYS	30.0

const char *const shop_kind_names[SHOP_KINDS] = {
	"cart", "order", "refund", "ticket", "view"
};

/* Where drawing stands; lives for one user */
typedef struct Visitor
{
	const Shop *shop;
	const ShopUser *user;
	ShopEvents *events;
	DrawStream	late;
	double		end;			/* last moment of activity, calendar days */
} Visitor;

/* An empty buffer in the current context. */
ShopEvents *
shop_events_create(void)
{
	ShopEvents *events = palloc(sizeof(ShopEvents));

	events->count = 0;
	events->capacity = 256;
	events->event = palloc(events->capacity * sizeof(ShopEvent));
	return events;
}

/* Room for one more event. */
static ShopEvent *
events_next(ShopEvents *events)
{
	if (events->count == events->capacity)
	{
		Size		bytes = 2 * sizeof(ShopEvent) * events->capacity;

		if (bytes > MaxAllocSize)
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("one simulated user has more than %d events",
							events->capacity),
					 errhint("Use a higher alpha or fewer days.")));
		events->event = repalloc(events->event, bytes);
		events->capacity *= 2;
	}
	return &events->event[events->count++];
}

/*
 * When an event of this time and kind gets known.  The draw depends on the
 * event alone, so that switches which drop other events leave it as it is.
 */
static TimestampTz
draw_known_at(const Visitor *visitor, TimestampTz ts, ShopKind kind)
{
	DrawStream	stream;
	double		days;

	if (!visitor->shop->set.late_arrivals)
		return ts;
	stream = draw_substream(visitor->late,
							(uint64) ts * SHOP_KINDS + (uint64) kind);
	if (draw_uniform(&stream) >= LATE_SHARE)
		return ts;
	days = LATE_MEAN_DAYS * draw_exponential(&stream);
	return ts + (int64) (Min(days, LATE_MAX_DAYS) * USECS_PER_DAY);
}

/* Keep an event, unless it lies at or after the end of the simulation. */
static void
emit(const Visitor *visitor, TimestampTz ts, ShopKind kind, double amount)
{
	const ShopSettings *set = &visitor->shop->set;
	ShopEvent  *event;

	if (ts >= ((int64) set->start + set->days) * USECS_PER_DAY)
		return;
	event = events_next(visitor->events);
	event->ts = ts;
	event->known_at = draw_known_at(visitor, ts, kind);
	event->amount = amount;
	event->kind = kind;
}

/* The clock's share of the day when a share f of its activity has passed. */
static double
clock_share(double f)
{
	if (f < 0.04)
		return f / 0.04 * 7.0 / 24.0;
	if (f < 0.40)
		return (7.0 + (f - 0.04) / 0.36 * 6.0) / 24.0;
	if (f < 0.75)
		return (13.0 + (f - 0.40) / 0.35 * 6.0) / 24.0;
	return (19.0 + (f - 0.75) / 0.25 * 5.0) / 24.0;
}

/* Midnight that begins a day of the shop. */
static TimestampTz
midnight(const Shop *shop, int day)
{
	return ((int64) shop->set.start + day) * USECS_PER_DAY;
}

/* The clock at a time of the calendar. */
static TimestampTz
clock_at(const Shop *shop, double time)
{
	int			day = (int) time;

	return midnight(shop, day) +
		(int64) (clock_share(time - day) * (USECS_PER_DAY - 1));
}

/* A Poisson process in the shop's own time */
typedef struct Process
{
	double		rate;			/* events a unit of the shop's own time */
	double		elapsed;		/* own time now */
	int			day;			/* of the calendar, now */
} Process;

/* Begin at a time of the calendar. */
static Process
process_start(const Shop *shop, double time, double rate)
{
	Process		process;

	process.rate = rate;
	process.day = (int) time;
	process.elapsed = shop_elapsed_at(shop, time);
	return process;
}

/* Go to the next event; its calendar time, or infinity past the last day. */
static double
process_next(const Shop *shop, Process *process, DrawStream *stream)
{
	process->elapsed += draw_exponential(stream) / process->rate;
	if (process->elapsed >= shop->elapsed[shop->set.days])
		return INFINITY;
	while (shop->elapsed[process->day + 1] <= process->elapsed)
		process->day++;
	return process->day + (process->elapsed - shop->elapsed[process->day]) /
		shop->factor[process->day];
}

/* One and more, 2.5 on average. */
static int
draw_views(DrawStream *stream)
{
	return 1 + (int) (2.0 * draw_exponential(stream));
}

/* Refund and ticket after an order, up to 22 and 9 days later. */
static void
draw_aftermath(const Visitor *visitor, TimestampTz ordered, double amount,
			   DrawStream *stream)
{
	double		trouble = visitor->user->trouble;
	double		refund = draw_uniform(stream);
	double		refund_days = 2.0 + 20.0 * draw_uniform(stream);
	double		share = draw_uniform(stream);
	double		ticket = draw_uniform(stream);
	double		ticket_days = 0.5 + 8.5 * draw_uniform(stream);

	if (refund < Min(TROUBLE_MAX, REFUND_SHARE * trouble))
	{
		/* seven of ten refunds are of the whole order */
		if (share >= 0.7)
			amount = ceil(100.0 * amount * (share - 0.7) / 0.3) / 100.0;
		emit(visitor, ordered + (int64) (refund_days * USECS_PER_DAY),
			 SHOP_REFUND, amount);
	}
	if (ticket < Min(TROUBLE_MAX, TICKET_SHARE * trouble))
		emit(visitor, ordered + (int64) (ticket_days * USECS_PER_DAY),
			 SHOP_TICKET, 0.0);
}

/*
 * An order at a time of the calendar, with the views and cart before it.
 * Returns its amount.
 */
static double
draw_order(const Visitor *visitor, double time, DrawStream *stream)
{
	TimestampTz ordered = clock_at(visitor->shop, time);
	int64		span = ordered - midnight(visitor->shop, (int) time);
	double		amount = draw_gamma(stream, SPEND_P,
									SPEND_P / visitor->user->spend_level);
	int			views = draw_views(stream);

	span = Min(span, BASKET_USECS);
	for (int i = 0; i < views; i++)
		emit(visitor, ordered - (int64) (span * draw_uniform(stream)),
			 SHOP_VIEW, 0.0);
	if (draw_uniform(stream) < CART_SHARE)
		emit(visitor, ordered - (int64) (0.2 * span * draw_uniform(stream)),
			 SHOP_CART, 0.0);
	amount = Max(1.0, floor(100.0 * amount + 0.5) / 100.0);
	emit(visitor, ordered, SHOP_ORDER, amount);
	return amount;
}

/* All orders of the user; the first is the joining. */
static void
draw_orders(const Visitor *visitor)
{
	const Shop *shop = visitor->shop;
	const ShopUser *user = visitor->user;
	DrawStream	times = draw_stream((uint64) shop->set.seed, user->id,
									DRAW_ORDERS);
	DrawStream	basket = draw_stream((uint64) shop->set.seed, user->id,
									 DRAW_BASKET);
	DrawStream	after = draw_stream((uint64) shop->set.seed, user->id,
									DRAW_AFTERMATH);
	Process		process = process_start(shop, user->joined,
										user->purchase_rate);
	double		time = user->joined;

	while (time < visitor->end)
	{
		double		amount = draw_order(visitor, time, &basket);

		draw_aftermath(visitor, clock_at(shop, time), amount, &after);
		time = process_next(shop, &process, &times);
	}
}

/* Share of visits that take place at a time: 1, and less before leaving. */
static double
visit_share(const Visitor *visitor, double time)
{
	double		remaining = visitor->user->left - time;

	if (!visitor->shop->set.slackening || visitor->user->is_bot ||
		remaining >= SHOP_SLACK_DAYS)
		return 1.0;
	return SLACK_FLOOR + (1.0 - SLACK_FLOOR) * remaining / SHOP_SLACK_DAYS;
}

/* A visit without an order: some views, now and then a cart. */
static void
draw_visit(const Visitor *visitor, double time, DrawStream *stream)
{
	TimestampTz came = clock_at(visitor->shop, time);
	int64		span = midnight(visitor->shop, (int) time + 1) - 1 - came;
	int			views = draw_views(stream);

	span = Min(span, VISIT_USECS);
	for (int i = 0; i < views; i++)
		emit(visitor, came + (int64) (span * draw_uniform(stream)),
			 SHOP_VIEW, 0.0);
	if (draw_uniform(stream) < IDLE_CART_SHARE)
		emit(visitor, came + span, SHOP_CART, 0.0);
}

/*
 * All visits without an order.  A visit given up in the slackening has been
 * drawn as every other, so that the switch only takes visits away.
 */
static void
draw_visits(const Visitor *visitor)
{
	const Shop *shop = visitor->shop;
	const ShopUser *user = visitor->user;
	DrawStream	stream = draw_stream((uint64) shop->set.seed, user->id,
									 DRAW_VISITS);
	Process		process = process_start(shop, user->joined, user->visit_rate);
	double		time;

	while ((time = process_next(shop, &process, &stream)) < visitor->end)
	{
		int			before = visitor->events->count;
		double		given_up = draw_uniform(&stream);

		draw_visit(visitor, time, &stream);
		if (given_up >= visit_share(visitor, time))
			visitor->events->count = before;
	}
}

/* A bot's page views, one by one, at any hour. */
static void
draw_bot_views(const Visitor *visitor)
{
	const Shop *shop = visitor->shop;
	DrawStream	stream = draw_stream((uint64) shop->set.seed,
									 visitor->user->id, DRAW_VISITS);
	double		time = visitor->user->joined;

	while (time < visitor->end)
	{
		emit(visitor, midnight(shop, 0) + (int64) (time * USECS_PER_DAY),
			 SHOP_VIEW, 0.0);
		time += draw_exponential(&stream) / visitor->user->visit_rate;
	}
}

/* Order of rows of one user: time, then kind, then amount. */
static int
event_compare(const void *a, const void *b)
{
	const ShopEvent *left = a;
	const ShopEvent *right = b;

	if (left->ts != right->ts)
		return left->ts < right->ts ? -1 : 1;
	if (left->kind != right->kind)
		return left->kind < right->kind ? -1 : 1;
	if (left->amount != right->amount)
		return left->amount < right->amount ? -1 : 1;
	return 0;
}

/* Replace the buffer's content by the user's events in order of time. */
void
shop_draw_events(const Shop *shop, const ShopUser *user, ShopEvents *events)
{
	Visitor		visitor;

	events->count = 0;
	visitor.shop = shop;
	visitor.user = user;
	visitor.events = events;
	visitor.late = draw_stream((uint64) shop->set.seed, user->id, DRAW_LATE);
	visitor.end = Min(user->left, (double) shop->set.days);
	if (user->is_bot)
		draw_bot_views(&visitor);
	else
	{
		draw_orders(&visitor);
		draw_visits(&visitor);
	}
	qsort(events->event, events->count, sizeof(ShopEvent), event_compare);
}
