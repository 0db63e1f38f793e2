/*-------------------------------------------------------------------------
 *
 * fit_options.h
 *	  What the files that read options share.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CHURN_FIT_OPTIONS_H
#define CHURN_FIT_OPTIONS_H

#include "churn.h"
#include "learn/fit.h"

/* ---- values: fit_options.c ---- */

/* The one message for a value that an option cannot take */
pg_noreturn extern void option_wrong(const char *key, const char *wanted);

/* A number in [low, high], whole when asked; NaN cannot come from JSON. */
extern double option_number(const char *key, const JsonbValue *value,
							double low, double high, bool whole,
							const char *wanted);
extern char *option_string(const char *key, const JsonbValue *value,
						   const char *wanted);

/* Position of a string value among "choices"; "wanted" lists them. */
extern int	option_choice(const char *key, const JsonbValue *value,
						  const char *const *choices, const char *wanted);

/* ---- options of the loss and its limits: fit_options_loss.c ---- */

extern void read_penalties(FitOptions *options, const char *key,
						   const JsonbValue *value);
extern void read_penalty(FitOptions *options, const char *key,
						 const JsonbValue *value);
extern void read_class_weights(FitOptions *options, const char *key,
							   const JsonbValue *value);
extern void read_calibrate(FitOptions *options, const char *key,
						   const JsonbValue *value);
extern void read_calibration(FitOptions *options, const char *key,
							 const JsonbValue *value);
extern void read_monotone(FitOptions *options, const char *key,
						  const JsonbValue *value);
extern void read_pairs(FitOptions *options, const char *key,
					   const JsonbValue *value);

/* 22023 with a hint for options that contradict one another */
extern void options_check_together(const FitOptions *options);

#endif							/* CHURN_FIT_OPTIONS_H */
