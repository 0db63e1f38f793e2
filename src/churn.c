/*-------------------------------------------------------------------------
 *
 * churn.c
 *	  Module entry: the magic block and the settings churn.*.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <limits.h>

#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/guc.h"

#include "churn.h"

PG_MODULE_MAGIC;

int			churn_memory_kb = 1024 * 1024;
char	   *churn_today_setting = NULL;
char	   *churn_study_setting = NULL;
int			churn_language_setting = CHURN_ENGLISH;

/* Names of languages; those of locales are taken too, but not listed. */
static const struct config_enum_entry languages[] = {
	{"en", CHURN_ENGLISH, false},
	{"zh", CHURN_CHINESE, false},
	{"en_GB", CHURN_ENGLISH, true},
	{"en_US", CHURN_ENGLISH, true},
	{"zh_CN", CHURN_CHINESE, true},
	{"zh_SG", CHURN_CHINESE, true},
	{NULL, 0, false}
};

void		_PG_init(void);

/*
 * churn.today takes an ISO date or nothing; anything else is refused when it
 * is said, not when a score is asked for.
 */
static bool
check_today(char **newval, void **extra, GucSource source)
{
	int			year,
				month,
				day;

	if (**newval == '\0')
		return true;
	/* fewer digits would be read by DateStyle, as another date */
	if (strlen(*newval) != 10 ||
		strspn(*newval, "0123456789") != 4 ||
		strspn(*newval + 5, "0123456789") != 2 ||
		strspn(*newval + 8, "0123456789") != 2 ||
		sscanf(*newval, "%4d-%2d-%2d", &year, &month, &day) != 3 ||
		year < 1 || month < 1 || month > 12 ||
		day < 1 || day > day_tab[isleap(year)][month - 1])
	{
		GUC_check_errdetail("\"%s\" is not a date of the form YYYY-MM-DD.",
							*newval);
		return false;
	}
	return true;
}

/* Define the settings; called once when the library is loaded. */
void
_PG_init(void)
{
	DefineCustomIntVariable("churn.memory",
							"Memory that one training or one unordered metric may hold.",
							"A training puts what is beyond it into temporary files; anything else is checked before it is allocated.",
							&churn_memory_kb, 1024 * 1024, 1024, INT_MAX,
							PGC_USERSET, GUC_UNIT_KB, NULL, NULL, NULL);
	DefineCustomStringVariable("churn.today",
							   "The date that stands for today, as YYYY-MM-DD; empty for the clock.",
							   "For data that ended in the past, and for rehearsals.",
							   &churn_today_setting, "", PGC_USERSET, 0,
							   check_today, NULL, NULL);
	DefineCustomStringVariable("churn.study",
							   "The study used where none is named; empty for the only one.",
							   NULL, &churn_study_setting, "", PGC_USERSET, 0,
							   NULL, NULL, NULL);
	DefineCustomEnumVariable("churn.language",
							 "Language of reasons and phrases: en, or zh for simplified Chinese.",
							 "Read when a phrase is made; scores keep the phrases they were refreshed with.",
							 &churn_language_setting, CHURN_ENGLISH,
							 languages, PGC_USERSET, 0, NULL, NULL, NULL);
#if PG_VERSION_NUM >= 150000
	MarkGUCPrefixReserved("churn");
#else
	EmitWarningsOnPlaceholders("churn");
#endif
}
