/* function.h - a function: settings, concurrency slots, the sink that reaches it, its metrics.
 * Slots are AWS's concurrency: a reservation belongs to one function, the rest of the account's
 * limit is shared. Loop thread only. */
#ifndef ENGINE_FUNCTION_H
#define ENGINE_FUNCTION_H

#include "engine/sink.h"

extern const struct option function_options[]; /* into struct function_settings */

/* The account: how many invocations may run at once, and who waits for the shared part. */
struct account {
    int64_t limit;     /* Gateway.ConcurrentExecutions */
    int64_t reserved;  /* sum of the functions' reservations */
    int64_t in_flight; /* of functions without a reservation */
    struct list waiters;
    struct task wake;
    struct loop *loop;
};
void account_init(struct account *, struct loop *, int64_t limit);
void account_set_limit(struct account *, int64_t limit);

/* Waits for a slot; ready comes from the loop when one may be free: try again, or wait again. */
struct slot_waiter {
    struct list node;
    void (*ready)(struct slot_waiter *);
};

struct function;

/* Takes nothing: settings and account must outlive it; sink is opened and closed by its owner. */
struct function *function_new(const struct env *, struct account *,
                              const struct function_settings *, struct sink *);
void function_free(struct function *); /* nothing in flight, nobody waiting */
/* No new slots are taken any more; of a reservation only what is in flight stays set aside. */
void function_retire(struct function *);
const struct function_settings *function_settings(const struct function *);
struct sink *function_sink(const struct function *);

bool function_take_slot(struct function *) MUST_CHECK; /* false: at its limit */
void function_give_slot(struct function *);            /* a slot that was not used after all */
int64_t function_free_slots(const struct function *);
void function_wait(struct function *,
                   struct slot_waiter *); /* queued once; first come first served */
void function_unwait(struct slot_waiter *);
int64_t function_in_flight(const struct function *);

/* Sends with a slot that the caller took; the slot is given back just before d->done. Counts
 * invocations, errors, throttles, duration. Fills request_id when empty. */
void function_send(struct function *, struct delivery *);
void function_cancel(struct function *, struct delivery *); /* gives the slot back */
void function_count_throttle(struct function *); /* a call turned away for want of a slot */

#endif
