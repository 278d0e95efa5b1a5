/* queue_state.h - inside of the queues: for queue_*.c only; everybody else uses queue.h.
 * Times named *_ms here are loop_now (monotonic), so that a step of the wall clock moves nothing;
 * on disk and in answers they are unix ms (queue_wall). docs/queues.md tells the whole. */
#ifndef ENGINE_QUEUE_STATE_H
#define ENGINE_QUEUE_STATE_H

#include "base/map.h"
#include "engine/queue.h"
#include "engine/queue_dedup.h"
#include "engine/queue_entry.h"
#include "engine/queue_ranges.h"

enum {
    QUEUE_FLIGHT_MAX = 120000,
    QUEUE_FLIGHT_MAX_FIFO = 20000,
    QUEUE_RETRY_MS = 1000, /* our own work after the store failed */
    QUEUE_ATTEMPT_MS = 300000,
};

struct queues {
    struct loop *loop;
    struct spool *spool;
    char *region, *account;
    uint64_t (*random)(void);
    uint64_t secret[2]; /* of receipt handles, message ids, deduplication */
    bool secret_noted;
    struct queue_pool pool;
    struct map names;      /* live queues */
    struct map creating;   /* not on disk yet */
    struct queue **sorted; /* the same, by name */
    size_t n, cap;
    struct list all;   /* every struct queue, also being created or deleted */
    struct list later; /* answers that wait for the loop */
    struct list wipes; /* struct queue_wipe: rows of purged and deleted queues */
    uint32_t next_owner;
    size_t pending; /* operations at the spool */
    bool closing;
};

struct queue {
    struct queues *service;
    struct list node;
    uint32_t owner;
    char *name, *arn;
    struct queue_settings settings;
    struct option_map tags;
    int64_t created_s, modified_s;
    bool live;      /* created, and not being deleted */
    size_t pending; /* operations at the spool that know this queue */
    /* sequence numbers: up to reserved is on disk that they may be used; asked is under way */
    uint64_t next_seq, reserved, asked;
    uint64_t first_seq; /* of this run */
    /* the index */
    struct queue_ranges fresh;   /* standard: visible, never received */
    struct queue_ranges delayed; /* standard: all with the same delay */
    int64_t delayed_by_ms;
    struct list again; /* standard: visible, received before */
    struct queue_table table;
    struct queue_heap heap;
    uint64_t count[QUEUE_ENTRY_STATES];
    uint64_t n_fresh; /* FIFO: messages in the ranges of all groups */
    struct map groups;
    struct list all_groups, ready_groups;
    uint64_t bytes;
    uint64_t sent, received, deleted, moved; /* since the process began */
    uint64_t wiped_below;                    /* rows before it are gone, or going */
    bool wiping;                             /* a purge runs: nothing is given out */
    int64_t purged_ms;                       /* the last purge; 0: none */
    size_t leaving;                          /* operations that move dead letters away */
    /* receives */
    struct list waiters;
    size_t impatient; /* of them: answered by the next kick, with or without messages */
    struct task kick;
    struct map attempts;
    struct list attempts_old; /* by age */
    /* retention */
    struct timer wake;
    int64_t sweep_ms;          /* when the next sweep is due; INT64_MAX: nothing to expire */
    int64_t born_next_ms;      /* oldest age that the sweep under way has seen */
    struct queue_sweep *sweep; /* the sweep under way; NULL: none */
    bool forgetting;           /* notes of old deduplication ids are being deleted */
    int64_t forget_ms;         /* not before */
    struct queue_dedup dedup;
    struct list moves; /* message move tasks, newest first */
};

static inline int64_t queue_now(const struct queue *q)
{
    return loop_now(q->service->loop);
}

/* SequenceNumber: always 20 digits. */
static inline uint64_t queue_sequence(const struct queue *q, uint64_t seq)
{
    return q->settings.fifo ? UINT64_C(10000000000000000000) + (seq << 8) : 0;
}

/* Loop time as unix ms and back. */
int64_t queue_wall(const struct queues *, int64_t loop_ms);
int64_t queue_loop_time(const struct queues *, int64_t unix_ms);

/* ---- queue.c */
struct queue *queue_new(struct queues *, uint32_t owner, struct slice name);
void queue_publish(struct queue *); /* live: found by name */
void queue_hide(struct queue *);    /* no longer; freed when nobody holds it */
void queue_hold(struct queue *);
void queue_unhold(struct queue *);
/* Submits an operation whose done must end with queue_settled; holds q, which may be NULL. */
void queue_submit(struct queues *, struct queue *, struct spool_op *);
/* May free the queue, and a service that is being closed. */
void queue_settled(struct queues *, struct queue *);
enum queue_status queue_status_of(const struct spool_op *);
/* The queue that dead letters go to now; NULL: none, or it does not fit. */
struct queue *queue_dead_target(const struct queue *);

/* An answer from the loop instead of from the caller's stack. */
struct queue_later {
    struct list node;
    struct task task;
    struct queues *service;
    void (*run)(struct queue_later *);
};
void queue_later(struct queues *, struct queue_later *, void (*run)(struct queue_later *));
void queue_later_cancel(struct queue_later *); /* harmless when not waiting */

/* ---- queue_seq.c: sequence numbers and names of notes */
uint64_t queue_seq_next(struct queue *);
/* Fills change when the numbers given out so far must be noted in this operation. */
struct queue_seq_note {
    char name[48], value[24];
    uint64_t bound;
};
bool queue_seq_note(struct queue *, struct queue_seq_note *, struct spool_change *);
void queue_seq_noted(struct queue *, const struct queue_seq_note *, bool ok);

#endif
