/*-------------------------------------------------------------------------
 *
 * shop.c
 *	  A simulated shop: the calendar, who its users are, and the true
 *	  probability that one orders nothing.
 *
 * Users follow the Pareto/NBD model (Schmittlein, Morrison, Colombo 1987):
 * purchase rate ~ Gamma(r, alpha), drop-out hazard ~ Gamma(s, beta), the
 * first order at joining, further ones a Poisson process until the user drops
 * out.  An order's amount follows the Gamma-Gamma model (Fader, Hardie).
 * Seasons multiply the intensity of a day; drop-out knows no season.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "simulate/draw.h"
#include "simulate/shop.h"
#include "simulate/purpose.h"

#define BOT_SHARE		0.001	/* of the users */
#define LAUNCH_SHARE	0.4		/* of the users join in the first days */
#define LAUNCH_DAYS		60		/* which are these */
#define YEAR_DAYS		365.25
#define YEAR_PEAK		349		/* a 15 December, in days since 2000-01-01 */
#define TWO_PI			6.283185307179586476925

/*
 * Season factor of a date: weekday (mean 1) times time of year (mean 1).
 * 2000-01-01 was a Saturday.
 */
static double
season_factor(DateADT date)
{
	static const double weekday[7] = {1.20, 1.05, 1.00, 0.95, 0.95, 0.90, 0.95};
	int			day = (int) (((int64) date + 6) % 7);
	double		phase = TWO_PI * (date - YEAR_PEAK) / YEAR_DAYS;

	return weekday[day < 0 ? day + 7 : day] *
		(1.0 + 0.20 * cos(phase) + 0.06 * cos(2.0 * phase));
}

/* Compute the calendar; "horizon" is at least the days of the shop. */
Shop *
shop_open(const ShopSettings *settings, int horizon)
{
	Shop	   *shop = palloc(sizeof(Shop));

	Assert(horizon >= settings->days && horizon <= 3 * SHOP_MAX_DAYS);
	shop->set = *settings;
	shop->horizon = horizon;
	shop->factor = palloc(sizeof(double) * horizon);
	shop->elapsed = palloc(sizeof(double) * (horizon + 1));
	shop->elapsed[0] = 0.0;
	for (int day = 0; day < horizon; day++)
	{
		shop->factor[day] = settings->seasons ?
			season_factor(settings->start + day) : 1.0;
		shop->elapsed[day + 1] = shop->elapsed[day] + shop->factor[day];
	}
	return shop;
}

/* The stream of this user for one purpose. */
static DrawStream
user_stream(const Shop *shop, int64 id, DrawPurpose purpose)
{
	return draw_stream((uint64) shop->set.seed, (uint64) id, purpose);
}

/* When the user joins: a share in the first weeks, the others any day. */
static double
draw_joined(const Shop *shop, int64 id)
{
	DrawStream	stream = user_stream(shop, id, DRAW_JOINED);
	int			days = shop->set.days;

	if (draw_uniform(&stream) < LAUNCH_SHARE)
		days = Min(days, LAUNCH_DAYS);
	return days * draw_uniform(&stream);
}

/* A bot looks at pages for 5 to 20 days, and does nothing else. */
static void
draw_bot(const Shop *shop, ShopUser *user)
{
	DrawStream	stream = user_stream(shop, user->id, DRAW_BOT);

	user->left = user->joined + 5.0 + 15.0 * draw_uniform(&stream);
	user->visit_rate = 100.0 + 300.0 * draw_uniform(&stream);
}

/* Purchase rate, hazard and lifetime, level of spending. */
static void
draw_rates(const Shop *shop, ShopUser *user)
{
	const ShopSettings *set = &shop->set;
	DrawStream	rate = user_stream(shop, user->id, DRAW_RATE);
	DrawStream	hazard = user_stream(shop, user->id, DRAW_HAZARD);
	DrawStream	lifetime = user_stream(shop, user->id, DRAW_LIFETIME);
	DrawStream	spend = user_stream(shop, user->id, DRAW_SPEND);

	user->purchase_rate = Min(SHOP_MAX_RATE,
							  draw_gamma(&rate, set->r, set->alpha));
	user->dropout_rate = draw_gamma(&hazard, set->s, set->beta);
	user->left = user->joined +
		draw_exponential(&lifetime) / user->dropout_rate;
	user->spend_level = SPEND_P / draw_gamma(&spend, SPEND_Q, SPEND_GAMMA);
}

/*
 * How often the user looks around, and runs into trouble.  Who is likelier to
 * leave has more trouble: refunds and tickets say something about the hazard.
 */
static void
draw_habits(const Shop *shop, ShopUser *user)
{
	DrawStream	visits = user_stream(shop, user->id, DRAW_VISIT_RATE);
	DrawStream	trouble = user_stream(shop, user->id, DRAW_TROUBLE);
	double		relative = user->dropout_rate * shop->set.beta / shop->set.s;

	user->visit_rate = draw_gamma(&visits, 2.0, 2.0) *
		(0.015 + 0.5 * user->purchase_rate);
	user->trouble = draw_gamma(&trouble, 2.0, 2.0) * sqrt(relative);
}

/* Draw user "id" of the shop. */
void
shop_draw_user(const Shop *shop, int64 id, ShopUser *user)
{
	DrawStream	stream = user_stream(shop, id, DRAW_IS_BOT);

	memset(user, 0, sizeof(*user));
	user->id = id;
	user->is_bot = draw_uniform(&stream) < BOT_SHARE && shop->set.bots;
	user->joined = draw_joined(shop, id);
	if (user->is_bot)
		draw_bot(shop, user);
	else
	{
		draw_rates(shop, user);
		draw_habits(shop, user);
	}
}

/*
 * Probability of no order in days [from, until) of a user alive at as_of who
 * cannot drop out before "immune".
 *
 * Within a day of hazard m and intensity l (0 outside the window) the user
 * drops out before ordering with probability m / (l + m) (1 - exp(-(l + m))),
 * and does neither with exp(-(l + m)).  Days are independent given that
 * neither happened.  With constant l and m, and from = as_of, the sum is
 * m / (l + m) + l / (l + m) exp(-(l + m) w).
 */
static double
p_no_order(const Shop *shop, const ShopUser *user, int as_of, int from,
		   int until, double immune)
{
	double		neither = 1.0;
	double		dropped = 0.0;

	for (int day = as_of; day < until; day++)
	{
		double		order = day < from ? 0.0 :
			user->purchase_rate * shop->factor[day];
		double		leave = day < immune ? 0.0 : user->dropout_rate;
		double		any = order + leave;

		if (any <= 0.0)
			continue;
		dropped -= neither * leave / any * expm1(-any);
		neither *= exp(-any);
	}
	/* thousands of roundings may carry the sum past 1 */
	return Min(dropped + neither, 1.0);
}

/* Probability of no order in [from, until), given rates and being alive. */
double
shop_p_no_order(const Shop *shop, const ShopUser *user, int as_of, int from,
				int until)
{
	return p_no_order(shop, user, as_of, from, until, as_of);
}

/* The shop's own time at a time of the calendar: factors summed up to it. */
double
shop_elapsed_at(const Shop *shop, double time)
{
	int			day = (int) Min(time, shop->horizon - 1);

	return shop->elapsed[day] + (time - day) * shop->factor[day];
}

/*
 * The same, knowing besides how far the slackening has come.  Who slackens
 * gives away the time of leaving; who does not will stay SHOP_SLACK_DAYS more
 * for certain, and after that the hazard has no memory.
 */
double
shop_p_no_order_signs(const Shop *shop, const ShopUser *user, int as_of,
					  int from, int until)
{
	double		end;

	if (!shop->set.slackening)
		return shop_p_no_order(shop, user, as_of, from, until);
	if (user->left > as_of + SHOP_SLACK_DAYS)
		return p_no_order(shop, user, as_of, from, until,
						  as_of + SHOP_SLACK_DAYS);
	end = Min(user->left, until);
	if (end <= from)
		return 1.0;
	return exp(-user->purchase_rate *
			   (shop_elapsed_at(shop, end) - shop->elapsed[from]));
}
