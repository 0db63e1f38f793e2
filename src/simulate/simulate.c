/*-------------------------------------------------------------------------
 *
 * simulate.c
 *	  churn_simulate and churn_simulate_truth: entry points.
 *
 * Rows go straight into a tuplestore, user by user; memory is one user's
 * events plus work_mem, whatever the number of rows.  Value-per-call mode
 * would copy each row once more, and FROM materialises it all the same.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

#include "simulate/shop.h"

#define START_MIN	(-36524)	/* 1900-01-01, days from 2000-01-01 */
#define START_MAX	73049		/* 2200-01-01 */
#define MEAN_RATE_MAX	10.0	/* r / alpha and s / beta, a day */
#define EVENT_COLUMNS	5
#define TRUTH_COLUMNS	11

/* Argument positions; the first twelve are those of both functions. */
enum
{
	ARG_USERS, ARG_DAYS, ARG_SEED, ARG_START_DATE, ARG_SEASONS,
	ARG_SLACKENING, ARG_BOTS, ARG_LATE_ARRIVALS, ARG_R, ARG_ALPHA, ARG_S,
	ARG_BETA, ARG_AS_OF, ARG_WINDOW_DAYS, ARG_GAP_DAYS
};

static const char *const argument_names[] = {
	"users", "days", "seed", "start_date", "seasons", "slackening", "bots",
	"late_arrivals", "r", "alpha", "s", "beta", "as_of", "window_days",
	"gap_days"
};

/* An argument that may not be NULL. */
static Datum
argument(FunctionCallInfo fcinfo, int position)
{
	if (PG_ARGISNULL(position))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("argument \"%s\" must not be null",
						argument_names[position])));
	return PG_GETARG_DATUM(position);
}

/* An integer within limits. */
static int
integer_argument(FunctionCallInfo fcinfo, int position, int low, int high)
{
	int			value = DatumGetInt32(argument(fcinfo, position));

	if (value < low || value > high)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"%s\" is %d, not between %d and %d",
						argument_names[position], value, low, high)));
	return value;
}

/* A parameter of a gamma distribution: above 0 and of a sane size. */
static double
gamma_argument(FunctionCallInfo fcinfo, int position)
{
	double		value = DatumGetFloat8(argument(fcinfo, position));

	if (!(value >= 0.01 && value <= 1e6))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"%s\" is %g, not between 0.01 and 1000000",
						argument_names[position], value)));
	return value;
}

/* shape / rate is a mean a day; refuse one that would flood the caller. */
static void
check_mean(int shape_position, double shape, double rate)
{
	if (shape / rate > MEAN_RATE_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"%s\" / \"%s\" is %g a day, more than %g",
						argument_names[shape_position],
						argument_names[shape_position + 1],
						shape / rate, MEAN_RATE_MAX),
				 errhint("Rates are per day: divide weekly ones by 7.")));
}

/* ISO or not as the session likes; "infinity" too. */
static const char *
date_text(DateADT date)
{
	return DatumGetCString(DirectFunctionCall1(date_out,
											   DateADTGetDatum(date)));
}

/* The date on which the shop opens. */
static DateADT
start_argument(FunctionCallInfo fcinfo)
{
	DateADT		start = DatumGetDateADT(argument(fcinfo, ARG_START_DATE));

	if (start < START_MIN || start > START_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"start_date\" is %s, not between %s and %s",
						date_text(start), date_text(START_MIN),
						date_text(START_MAX))));
	return start;
}

/* The arguments that both functions share. */
static ShopSettings
shop_settings(FunctionCallInfo fcinfo)
{
	ShopSettings set;

	set.users = integer_argument(fcinfo, ARG_USERS, 1, SHOP_MAX_USERS);
	set.days = integer_argument(fcinfo, ARG_DAYS, 1, SHOP_MAX_DAYS);
	set.seed = DatumGetInt64(argument(fcinfo, ARG_SEED));
	set.start = start_argument(fcinfo);
	set.seasons = DatumGetBool(argument(fcinfo, ARG_SEASONS));
	set.slackening = DatumGetBool(argument(fcinfo, ARG_SLACKENING));
	set.bots = DatumGetBool(argument(fcinfo, ARG_BOTS));
	set.late_arrivals = DatumGetBool(argument(fcinfo, ARG_LATE_ARRIVALS));
	set.r = gamma_argument(fcinfo, ARG_R);
	set.alpha = gamma_argument(fcinfo, ARG_ALPHA);
	set.s = gamma_argument(fcinfo, ARG_S);
	set.beta = gamma_argument(fcinfo, ARG_BETA);
	check_mean(ARG_R, set.r, set.alpha);
	check_mean(ARG_S, set.s, set.beta);
	return set;
}

/*
 * Begin a materialised result; its descriptor goes to rsinfo.  Written out,
 * because the server's own helper has a name only from 15 on.
 */
static ReturnSetInfo *
result_begin(FunctionCallInfo fcinfo)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	MemoryContext old;
	TupleDesc	desc;
	bool		random;

	if (rsinfo == NULL || !IsA(rsinfo, ReturnSetInfo) ||
		(rsinfo->allowedModes & SFRM_Materialize) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("a set of rows is not accepted here"),
				 errhint("Call the function in FROM.")));
	random = (rsinfo->allowedModes & SFRM_Materialize_Random) != 0;
	old = MemoryContextSwitchTo(rsinfo->econtext->ecxt_per_query_memory);
	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	rsinfo->returnMode = SFRM_Materialize;
	rsinfo->setDesc = desc;
	rsinfo->setResult = tuplestore_begin_heap(random, false, work_mem);
	MemoryContextSwitchTo(old);
	return rsinfo;
}

/* Append the rows of one user's events. */
static void
put_events(ReturnSetInfo *rsinfo, int64 user, const ShopEvents *events,
		   const Datum *kinds)
{
	for (int i = 0; i < events->count; i++)
	{
		const ShopEvent *event = &events->event[i];
		Datum		values[EVENT_COLUMNS];
		bool		nulls[EVENT_COLUMNS] = {false};

		values[0] = Int64GetDatum(user);
		values[1] = TimestampTzGetDatum(event->ts);
		values[2] = kinds[event->kind];
		values[3] = Float8GetDatum(event->amount);
		values[4] = TimestampTzGetDatum(event->known_at);
		nulls[3] = event->kind != SHOP_ORDER && event->kind != SHOP_REFUND;
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values,
							 nulls);
	}
}

PG_FUNCTION_INFO_V1(churn_simulate);

/* The events of a simulated shop, user by user, each in order of time. */
Datum
churn_simulate(PG_FUNCTION_ARGS)
{
	ShopSettings set = shop_settings(fcinfo);
	ReturnSetInfo *rsinfo = result_begin(fcinfo);
	Shop	   *shop = shop_open(&set, set.days);
	ShopEvents *events = shop_events_create();
	Datum		kinds[SHOP_KINDS];

	for (int i = 0; i < SHOP_KINDS; i++)
		kinds[i] = CStringGetTextDatum(shop_kind_names[i]);
	for (int id = 1; id <= set.users; id++)
	{
		ShopUser	user;

		CHECK_FOR_INTERRUPTS();
		shop_draw_user(shop, id, &user);
		shop_draw_events(shop, &user, events);
		put_events(rsinfo, id, events, kinds);
	}
	return (Datum) 0;
}

/* The question that the truth answers, in days since the start */
typedef struct Question
{
	int			as_of;
	int			from;			/* first day of the window */
	int			until;			/* day after the window */
} Question;

/* As-of date, window and gap; without a date the end of the simulation. */
static Question
question_arguments(FunctionCallInfo fcinfo, const ShopSettings *set)
{
	Question	question;

	question.as_of = set->days;
	if (!PG_ARGISNULL(ARG_AS_OF))
	{
		DateADT		as_of = PG_GETARG_DATEADT(ARG_AS_OF);

		if (as_of < set->start || as_of > set->start + set->days)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("argument \"as_of\" is %s, not between %s and %s",
							date_text(as_of), date_text(set->start),
							date_text(set->start + set->days))));
		question.as_of = as_of - set->start;
	}
	question.from = question.as_of +
		integer_argument(fcinfo, ARG_GAP_DAYS, 0, SHOP_MAX_DAYS);
	question.until = question.from +
		integer_argument(fcinfo, ARG_WINDOW_DAYS, 1, SHOP_MAX_DAYS);
	return question;
}

/*
 * Columns alive, p_no_order and p_no_order_signs: NULL for who has not joined
 * yet, false and 1 for who has left; a bot never orders.
 */
static void
truth_answer(const Shop *shop, const ShopUser *user, const Question *question,
			 Datum *values, bool *nulls)
{
	bool		alive = user->left > question->as_of;
	double		p = 1.0;
	double		p_signs = 1.0;

	if (user->joined >= question->as_of)
	{
		nulls[0] = nulls[1] = nulls[2] = true;
		return;
	}
	if (alive && !user->is_bot)
	{
		p = shop_p_no_order(shop, user, question->as_of, question->from,
							question->until);
		p_signs = shop_p_no_order_signs(shop, user, question->as_of,
										question->from, question->until);
	}
	values[0] = BoolGetDatum(alive);
	values[1] = Float8GetDatum(p);
	values[2] = Float8GetDatum(p_signs);
}

/* Append the row of one user. */
static void
put_truth(ReturnSetInfo *rsinfo, const Shop *shop, const ShopUser *user,
		  const Question *question)
{
	const ShopSettings *set = &shop->set;
	Datum		values[TRUTH_COLUMNS];
	bool		nulls[TRUTH_COLUMNS] = {false};

	memset(values, 0, sizeof(values));
	values[0] = Int64GetDatum(user->id);
	values[1] = DateADTGetDatum(set->start + (int) user->joined);
	if (user->left < set->days)
		values[2] = DateADTGetDatum(set->start + (int) user->left);
	else
		nulls[2] = true;
	values[3] = Float8GetDatum(user->purchase_rate);
	values[4] = Float8GetDatum(user->dropout_rate);
	values[5] = Float8GetDatum(user->spend_level);
	nulls[4] = nulls[5] = user->is_bot;
	values[6] = Float8GetDatum(user->visit_rate);
	values[7] = BoolGetDatum(user->is_bot);
	truth_answer(shop, user, question, values + 8, nulls + 8);
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

PG_FUNCTION_INFO_V1(churn_simulate_truth);

/* What is true of each user of the same shop. */
Datum
churn_simulate_truth(PG_FUNCTION_ARGS)
{
	ShopSettings set = shop_settings(fcinfo);
	Question	question = question_arguments(fcinfo, &set);
	ReturnSetInfo *rsinfo = result_begin(fcinfo);
	Shop	   *shop = shop_open(&set, Max(set.days, question.until));

	for (int id = 1; id <= set.users; id++)
	{
		ShopUser	user;

		CHECK_FOR_INTERRUPTS();
		shop_draw_user(shop, id, &user);
		put_truth(rsinfo, shop, &user, &question);
	}
	return (Datum) 0;
}
