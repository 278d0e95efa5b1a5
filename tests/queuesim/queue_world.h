/* queue_world.h - the simulated world around the queues: clients that send, receive, delete and
 * vanish, a disk that may fail, crashes, and what must be true of every message at every step. */
#ifndef QUEUESIM_QUEUE_WORLD_H
#define QUEUESIM_QUEUE_WORLD_H

#include "engine/queue.h"
#include "tests/queuesim/fake_spool.h"
#include "tests/queuesim/require.h"

enum { SLOTS = 4, CLIENTS = 6, MESSAGES_MAX = 600, HANDS = 96, TWINS_MAX = 600, GROUPS = 4 };

/* What the clients know of one message. Its body begins with its number. */
struct message {
    size_t slot;
    bool acked;     /* its send was answered */
    bool duplicate; /* and it was one of another */
    bool maybe;     /* it may be gone: unsure send, delete, purge */
    bool gone;      /* its delete was answered, and it is not on disk */
    bool back;      /* a power cut took its delete: there again, until somebody gets it */
    bool received;
    uint32_t receives;
    int64_t called_ms, hold_ms; /* loop time; nobody else may get it before */
    char id[40];
    uint64_t sequence;
    unsigned group;
    int twin;         /* deduplication id; -1: its own */
    unsigned changes; /* of its visibility, asked for */
    int attempt;      /* ReceiveRequestAttemptId of its last receive; 0: none */
};

/* A receipt handle that a client holds. */
struct hand {
    bool used;
    size_t slot, message;
    uint32_t takes;
    char receipt[96], id[40];
};

struct slot {
    char name[16];
    struct queue_settings settings;
    char dead_arn[80];
    struct queue *q; /* NULL: deleted, or being created */
    uint32_t owner;  /* in row ids */
    bool opening;
};

struct world {
    uint64_t seed, rng;
    unsigned long steps, crashes, sends, receives;
    /* Power cuts, what they took, deletes among it, deletes of what they took. */
    unsigned long cuts, lost, backs, late;
    struct loop *loop;
    struct fake_disk disk;
    struct fake_spool_faults faults;
    struct spool *spool;
    struct queues *queues;
    unsigned epoch; /* answers of a gateway that crashed are not heard */
    bool calling;   /* inside a call of the queues: no answer may come */
    bool draining, clock_moved, redriven;
    bool consuming; /* clients only receive, delete and change */
    int64_t retention_ms;
    struct slot slots[SLOTS];
    struct message messages[MESSAGES_MAX];
    size_t n_messages;
    struct hand hands[HANDS];
    struct client {
        struct timer tick;
        struct world *w;
        unsigned receiving;
    } clients[CLIENTS];
    size_t pending;   /* calls without an answer */
    struct act *acts; /* all of them, until the end or a crash */
};

extern struct world *world;
uint64_t world_random(void);
uint64_t below(uint64_t n);
bool chance(unsigned percent);

/* ---- queue_world.c */
void world_build(struct world *, uint64_t seed);
void world_tell(const struct world *);
void world_start(struct world *);
void world_crash(struct world *);
void world_drain(struct world *); /* no faults any more; everything is received and deleted */
bool world_empty(const struct world *);
void world_end(struct world *);

/* ---- queue_checks.c */
void check_step(struct world *);
void check_disk(struct world *); /* every message is where it must be, once */
struct fake_row *check_row(const struct world *, size_t message);
/* A power cut took its last receive, the change of it, or its delete. */
void check_lost(const struct fake_row *, bool deleted);
void check_bytes(const struct world *, size_t slot); /* right after a start */
size_t check_number(const struct fake_row *);
/* asked_ms: when it was called; attempt: its ReceiveRequestAttemptId, 0: none. */
void check_received(struct world *, size_t slot, const struct queue_receive *, int64_t asked_ms,
                    int attempt);

/* ---- queue_clients.c */
void client_tick(struct timer *);
void client_drain(struct world *);
void client_forget(struct world *); /* after a crash: nobody answers any more */
void client_open(struct world *, size_t slot);

#endif
