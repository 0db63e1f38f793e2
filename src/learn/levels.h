/*-------------------------------------------------------------------------
 *
 * levels.h
 *	  Texts as numbers: the levels of a column.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CHURN_LEVELS_H
#define CHURN_LEVELS_H

#include "learn/model.h"

/* A column with more different texts than this is no input. */
#define LEVELS_MAX_DISTINCT 200000

/* A set of texts; private */
typedef struct LevelTable LevelTable;

/* An empty table; all of it lies in "context". */
extern LevelTable *levels_create(MemoryContext context);

/* ---- collecting, in a fit ---- */

/*
 * Note a text and return what stands for it in a row: a whole number that
 * depends on the text alone.  Two texts with one number raise 54000 with the
 * column's name.
 */
extern double levels_collect(LevelTable *table, const char *column,
							 const char *bytes, Size length);

/* Bytes the table holds */
extern Size levels_bytes(const LevelTable *table);

/* No more texts: they are numbered in the order of their bytes. */
extern void levels_seal(LevelTable *table);

/* Texts that are numbered, or -1: more than LEVELS_MAX_DISTINCT came. */
extern int	levels_count(const LevelTable *table);

/*
 * Number of the text that a row's value stands for; levels_count() for one
 * too long to be a level.
 */
extern int	levels_number(const LevelTable *table, double value);
extern char *levels_text(const LevelTable *table, int number);

/* ---- looking up, in a score ---- */

/* A table of given texts, numbered as they come */
extern LevelTable *levels_of(MemoryContext context, char **texts, int count);

/* Number of a text, or -1 */
extern int	levels_find(const LevelTable *table, const char *bytes,
						Size length);

#endif							/* CHURN_LEVELS_H */
