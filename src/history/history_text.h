/*-------------------------------------------------------------------------
 *
 * history_text.h
 *	  Text form of churn_history.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CHURN_HISTORY_TEXT_H
#define CHURN_HISTORY_TEXT_H

#include "nodes/nodes.h"

extern char *history_to_text(const void *bytes, Size nbytes);

/* NULL only after a soft error, reported in escontext (16 and later). */
extern struct varlena *history_from_text(const char *text, Node *escontext);

#endif							/* CHURN_HISTORY_TEXT_H */
