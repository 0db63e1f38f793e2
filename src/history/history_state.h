/*-------------------------------------------------------------------------
 *
 * history_state.h
 *	  A history being built: rows in the order of arrival.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CHURN_HISTORY_STATE_H
#define CHURN_HISTORY_STATE_H

#include "history/history_format.h"
#include "history/kinds.h"
#include "history/limits.h"

/*
 * One palloc chunk: this header and a log of rows.  Adding may move it, so
 * every adder returns it.  With kinds == NULL the log is an encoded history
 * instead, as the deserial function leaves it, to be read only.
 */
typedef struct HistoryState
{
	KindDictionary *kinds;
	uint32		size;			/* bytes that log[] has room for */
	uint32		used;
	uint32		rows;			/* in the log */
	int32		day;			/* of the row added last */
	uint8		log[FLEXIBLE_ARRAY_MEMBER];
} HistoryState;

/* A state holds about 50 events of a shop before it grows. */
#define STATE_FIRST_BYTES	256

/* Longest row without and with what only merged rows have */
#define STATE_EVENT_BYTES	(4 * VARINT_MAX_BYTES)
#define STATE_ROW_BYTES		(VARINT_MAX_BYTES + HISTORY_ENTRY_MAX_BYTES)

/* How a row of the log says its money */
#define ROW_NO_MONEY	0
#define ROW_CENTS		1		/* wide varint */
#define ROW_DOUBLE		2		/* 8 bytes, no whole cents */
#define ROW_MONEY		3		/* cents, then a dyadic part */
#define ROW_MONEY_MASK	3
#define ROW_LAG			4		/* flag: a lag follows the day */
#define ROW_MANY		8		/* flag: a count follows */
#define ROW_FLAG_BITS	4

extern HistoryState *history_state_create(MemoryContext context,
										  KindDictionary *kinds);
extern HistoryState *history_state_room(HistoryState *state, uint32 bytes);
extern HistoryState *history_state_add(HistoryState *state, uint32 kind,
									   const HistoryEntry *entry);
extern HistoryState *history_state_add_encoded(HistoryState *state,
											   const void *bytes,
											   Size nbytes);
extern HistoryState *history_state_add_state(HistoryState *state,
											 const HistoryState *other);
extern struct varlena *history_state_build(const HistoryState *state);

extern void history_damaged(const char *why);
extern void *history_grow(void *data, size_t size);
extern struct varlena *history_writer_finish(HistoryWriter *writer);

/*
 * Add one event.  This is what the transition function does ten million
 * times, so it writes straight into the log.
 */
static inline HistoryState *
history_state_add_event(HistoryState *state, uint32 kind, int32 day,
						int32 lag, bool has_amount, double amount)
{
	uint32		flags = ROW_NO_MONEY;
	int64_t		cents = 0;
	uint8	   *p;

	if (unlikely(state->size - state->used < STATE_EVENT_BYTES))
		state = history_state_room(state, STATE_EVENT_BYTES);
	if (has_amount)
		flags = amount_to_cents(amount, &cents) ? ROW_CENTS : ROW_DOUBLE;
	if (lag > 0)
		flags |= ROW_LAG;
	p = state->log + state->used;
	p = varint_put(p, (uint64_t) kind << ROW_FLAG_BITS | flags);
	p = varint_put(p, zigzag((int64_t) day - state->day));
	if (lag > 0)
		p = varint_put(p, (uint64_t) lag);
	if ((flags & ROW_MONEY_MASK) == ROW_CENTS)
		p = varint_put(p, zigzag(cents));
	else if (has_amount)
	{
		memcpy(p, &amount, sizeof(amount));
		p += sizeof(amount);
	}
	state->day = day;
	state->rows++;
	state->used = (uint32) (p - state->log);
	return state;
}

#endif							/* CHURN_HISTORY_STATE_H */
