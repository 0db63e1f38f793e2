/*-------------------------------------------------------------------------
 *
 * churn.h
 *	  Settings of the extension, and what every layer may rely on.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CHURN_H
#define CHURN_H

#include "utils/date.h"

/* The spelling of 18 for a function that does not return, for all */
#ifndef pg_noreturn
#define pg_noreturn pg_attribute_noreturn()
#endif

/* churn.memory: kilobytes a training or an unordered metric may hold */
extern int	churn_memory_kb;

/* churn.today: text of a date that stands for today, or empty */
extern char *churn_today_setting;

/* churn.language: of the phrases that people read, a ChurnLanguage */
typedef enum ChurnLanguage
{
	CHURN_ENGLISH,
	CHURN_CHINESE,
	CHURN_LANGUAGES				/* how many there are */
} ChurnLanguage;
extern int	churn_language_setting;

/* churn.study: the study that churn_score() uses when none is named */
extern char *churn_study_setting;

#endif							/* CHURN_H */
