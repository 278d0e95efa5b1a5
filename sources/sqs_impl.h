/* sqs_impl.h - the inside of the SQS source, shared by sources/sqs*.c; docs/sources-sqs.md tells
 * how the parts work together. Loop thread only. */
#ifndef SOURCES_SQS_IMPL_H
#define SOURCES_SQS_IMPL_H

#include "base/json_out.h"
#include "base/log.h"
#include "base/map.h"
#include "engine/source.h"
#include "io/aws_client.h"
#include "io/metrics.h"
#include "io/sqs_wire.h"

/* Every interval, so that tests need not wait. */
struct sqs_timing {
    int64_t second_ms;                  /* one second of a visibility timeout */
    int64_t wait_s;                     /* WaitTimeSeconds of a poll */
    int64_t request_ms;                 /* an answer may take, beyond the wait */
    int64_t backoff_ms, backoff_cap_ms; /* after failures: half to whole of backoff·2^(n-1) */
    int64_t recheck_ms, recheck_cap_ms; /* the same while the queue is missing or unfit */
    int64_t refresh_ms;                 /* the queue's attributes are read again */
    int64_t stop_ms;                    /* a stop waits so long for open polls */
    int64_t margin_s;                   /* visibility to spare beyond the function's timeout */
};
extern const struct sqs_timing sqs_timing_default;

enum sqs_work { SQS_WORK_DELETE, SQS_WORK_RELEASE, SQS_WORK_EXTEND, SQS_WORKS };

enum sqs_slot_state {
    SQS_SLOT_FREE,
    SQS_SLOT_HELD,     /* with the engine, or waiting for credit */
    SQS_SLOT_DELETING, /* done: to be deleted */
    SQS_SLOT_RELEASING /* given back: to be made visible at once */
};

/* A message that was received and is not yet done with. Never moves, is used again. */
struct sqs_slot {
    struct list node; /* free, or in a work's ready or later */
    uint32_t index;
    enum sqs_slot_state state;
    uint64_t generation; /* of uses of this slot */
    uint64_t version;    /* of receives of this message */
    char *id, *receipt;
    int64_t received_ms, visible_ms; /* loop time; visible again at */
    int64_t due_ms;                  /* in later */
    unsigned tries;
    bool extending; /* an extension waits or is out */
    bool lapsed;    /* it cannot be extended any more */
    bool alone;     /* a batch with it was refused whole: next time by itself */
};

/* Slots that wait for their batch request. */
struct sqs_worklist {
    struct list ready, later;
    size_t n; /* in both lists and out */
    size_t ready_n;
    unsigned out;      /* requests */
    unsigned failures; /* requests in a row */
};

enum sqs_phase { SQS_PHASE_URL, SQS_PHASE_ATTRIBUTES, SQS_PHASE_READY };

struct sqs {
    struct source source;
    /* options */
    const char *queue;
    int64_t min_pollers, max_pollers;
    /* by check */
    char region[32];
    struct slice account, name;
    bool fifo;
    /* from open on */
    const struct sqs_timing *timing; /* NULL at open: sqs_timing_default */
    bool open, stopping;

    /* sqs_queue.c */
    enum sqs_protocol protocol;
    bool protocol_known;
    enum sqs_phase phase;
    bool ready; /* polls may start */
    char *url;
    int64_t visibility_s;         /* what messages are held by */
    int64_t receive_visibility_s; /* sent with ReceiveMessage; -1: the queue's own */
    struct aws_call admin;
    struct buf admin_body;
    struct timer again;
    unsigned admin_failures;

    /* sqs_poll.c */
    struct list polls;
    size_t n_polls, promised, target;
    size_t mean_bytes; /* of the last records */
    unsigned poll_failures, quick_answers;
    struct timer poll_again, grace;
    struct list waiting; /* records for which credit fell away */
    size_t n_waiting;

    /* sqs_slots.c */
    struct sqs_slot **slots;
    size_t n_slots, cap_slots, n_held;
    struct list free_slots;
    struct map by_id;

    /* sqs_work.c, sqs_hold.c */
    struct sqs_worklist work[SQS_WORKS];
    struct list jobs;
    struct task flush;
    struct timer retry, sweep;
    struct metric *undeleted;
};

static inline struct sqs *sqs_of(struct source *source)
{
    return container_of(source, struct sqs, source);
}

/* ---- sqs.c ---- */
int64_t sqs_backoff(int64_t base_ms, int64_t cap_ms, unsigned n);
/* One SQS request; body is filled and stays the caller's. call is cleared first. */
void sqs_send(struct sqs *, struct aws_call *, struct buf *body, const struct sqs_request *,
              void (*done)(struct aws_call *));
/* Reads what came back; transport failures are faults too, with text. Refreshes credentials when
 * they are the fault. sqs_answer_free it. */
enum sqs_read sqs_receive_answer(struct sqs *, struct sqs_answer *, struct aws_call *, enum sqs_op);
/* Problem state from a failed answer. */
void sqs_tell_problem(struct sqs *, enum sqs_read, const struct sqs_answer *);
void sqs_settling(struct sqs *, int by);

/* ---- sqs_queue.c: finds the queue and watches its attributes ---- */
void sqs_queue_start(struct sqs *);
void sqs_queue_lost(struct sqs *); /* it does not exist (any more) */
void sqs_queue_stop(struct sqs *);

/* ---- sqs_poll.c: long polls and what they bring ---- */
void sqs_poll_init(struct sqs *);
void sqs_poll_pump(struct sqs *);
void sqs_poll_forget(struct sqs *, struct slice key); /* what waits with that key goes back */
void sqs_poll_stop(struct sqs *);
void sqs_poll_close(struct sqs *);

/* ---- sqs_slots.c ---- */
void sqs_slots_init(struct sqs *);
void sqs_slots_close(struct sqs *);
struct sqs_slot *sqs_slots_find(struct sqs *, struct slice id); /* NULL: not held */
struct sqs_slot *sqs_slots_take(struct sqs *, const struct sqs_message *);
void sqs_slots_renew(struct sqs *, struct sqs_slot *, const struct sqs_message *);
struct sqs_slot *sqs_slots_get(struct sqs *, const uint64_t token[2]);
void sqs_slots_drop(struct sqs *, struct sqs_slot *);

/* ---- sqs_work.c: batch requests about slots ---- */
void sqs_work_init(struct sqs *);
void sqs_work_add(struct sqs *, struct sqs_slot *, enum sqs_work);
void sqs_work_forget(struct sqs *, struct sqs_slot *); /* a held one needs no extension any more */
void sqs_work_close(struct sqs *);

/* ---- sqs_hold.c: keeps messages invisible while they are held ---- */
void sqs_hold_init(struct sqs *);
void sqs_hold_start(struct sqs *); /* the sweep runs while anything is held */
void sqs_hold_close(struct sqs *);
/* Seconds to ask for now; 0: the twelve hours are used up. */
int64_t sqs_hold_seconds(const struct sqs *, const struct sqs_slot *);
void sqs_hold_extended(struct sqs *, struct sqs_slot *, int64_t sent_ms, int64_t seconds);

/* ---- sqs_event.c ---- */
/* One element of Records; sqs.md 7. window: the mapping has a batching window. */
void sqs_event_write(struct buf *out, const struct sqs_message *, struct slice arn,
                     struct slice region, bool window);
extern const char sqs_event_sample[];

#endif
