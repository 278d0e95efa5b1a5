/* queue_bench.h - for tests of the queues to the millisecond: a service on a store in memory whose
 * faults are set by hand, on a clock that only the test moves. */
#ifndef TESTS_UNIT_QUEUE_BENCH_H
#define TESTS_UNIT_QUEUE_BENCH_H

#include "base/mem.h"
#include "engine/queue.h"
#include "io/loop_core.h"
#include "tests/queuesim/fake_spool.h"
#include "tests/queuesim/require.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Before the archive's: the store of these tests is this one. */
#include "tests/queuesim/fake_spool.c"

uint64_t require_seed;
void require_failed(const char *what, const char *file, int line)
{
    _assert_true(0, what, file, line);
    abort();
}

struct bench {
    struct loop *loop;
    int64_t began_ms;
    struct fake_disk disk;
    struct fake_spool_faults faults;
    struct spool *spool;
    struct queues *queues;
    size_t waiting; /* calls without an answer */
};

/* What the store's faults and delays are drawn from: nothing by chance. */
static uint64_t bench_roll;

static inline uint64_t bench_chance(void)
{
    return bench_roll;
}

static inline uint64_t bench_secret(void)
{
    return UINT64_C(0x123456789abcdef);
}

/* ---- time, since the bench began */

static inline int64_t bench_now(const struct bench *b)
{
    return loop_now(b->loop) - b->began_ms;
}

static inline void bench_until(struct bench *b, int64_t ms)
{
    for (;;) {
        loop_core_run_tasks(b->loop, SIZE_MAX);
        int64_t due = loop_core_next_due(b->loop);
        if (due > b->began_ms + ms)
            break;
        b->loop->now_ms = due;
        loop_core_fire_due(b->loop);
    }
    b->loop->now_ms = b->began_ms + ms;
}

/* Until everything is answered that was asked. */
static inline void bench_wait(struct bench *b)
{
    while (b->waiting > 0)
        assert_true(loop_step(b->loop));
    bench_until(b, bench_now(b));
}

/* ---- life */

static inline void bench_open(struct bench *b)
{
    struct error err;
    b->spool = fake_spool_open(b->loop, &b->disk, &b->faults);
    b->queues = queues_open(b->loop, b->spool, "us-east-1", "000000000000", bench_secret, &err);
    assert_non_null(b->queues);
}

static inline struct bench *bench_new(void)
{
    struct bench *b = mem_alloc(sizeof *b);
    bench_roll = 0;
    b->loop = loop_new_virtual();
    b->began_ms = loop_now(b->loop);
    b->faults = (struct fake_spool_faults){.random = bench_chance};
    bench_open(b);
    return b;
}

/* kill -9: what is not on disk is gone. */
static inline void bench_crash(struct bench *b)
{
    fake_spool_crash(b->spool);
    queues_close(b->queues);
    fake_spool_free(b->spool);
    loop_core_run_tasks(b->loop, SIZE_MAX);
    b->waiting = 0;
}

static inline void bench_restart(struct bench *b)
{
    bench_crash(b);
    bench_open(b);
}

static inline void bench_free(struct bench *b)
{
    bench_crash(b);
    fake_disk_free(&b->disk);
    loop_free(b->loop);
    free(b);
}

/* From now on all operations of the store fail, or none. */
static inline void bench_fail(struct bench *b, bool all)
{
    b->faults.fail_percent = all ? 100 : 0;
    fake_spool_set_faults(b->spool, &b->faults);
}

/* How long an operation takes to get to the disk. */
static inline void bench_commit_takes(struct bench *b, int64_t ms)
{
    b->faults.commit_ms = ms;
    bench_roll = ms > 0 ? (uint64_t)ms : 0;
    fake_spool_set_faults(b->spool, &b->faults);
}

/* ---- calls */

struct bench_admin {
    struct queue_admin pub;
    struct bench *bench;
};

static inline void bench_admin_done(struct queue_admin *a)
{
    container_of(a, struct bench_admin, pub)->bench->waiting--;
}

static inline struct queue_settings bench_settings(bool fifo)
{
    return (struct queue_settings){.visibility_s = 30,
                                   .retention_s = 345600,
                                   .max_bytes = 262144,
                                   .fifo = fifo,
                                   .max_receives = 1};
}

static inline struct queue *bench_create(struct bench *b, const char *name,
                                         const struct queue_settings *settings)
{
    struct bench_admin a = {.pub = {.done = bench_admin_done}, .bench = b};
    b->waiting++;
    queue_create(b->queues, slice_of(name), settings, NULL, &a.pub);
    bench_wait(b);
    assert_int_equal(a.pub.status, QUEUE_OK);
    return a.pub.queue;
}

static inline struct queue *bench_find(struct bench *b, const char *name)
{
    struct queue *q = queues_find(b->queues, slice_of(name));
    assert_non_null(q);
    return q;
}

struct bench_sent {
    struct queue_send pub;
    struct queue_send_entry entry;
    struct bench *bench;
};

static inline void bench_send_done(struct queue_send *s)
{
    container_of(s, struct bench_sent, pub)->bench->waiting--;
}

/* Asks and does not wait. group NULL: a standard queue; the deduplication id is dedup, or the
 * body when NULL. */
static inline void bench_send_start(struct bench *b, struct queue *q, struct bench_sent *s,
                                    const char *body, const char *group, const char *dedup)
{
    *s = (struct bench_sent){.bench = b};
    s->entry = (struct queue_send_entry){
        .body = slice_of(body),
        .group = slice_of(group),
        .dedup_id = group != NULL ? slice_of(dedup != NULL ? dedup : body) : SLICE_NONE,
        .md5_body = SLICE("0123456789abcdef0123456789abcdef"),
        .delay_s = -1};
    s->pub = (struct queue_send){.entries = &s->entry, .n = 1, .done = bench_send_done};
    b->waiting++;
    queue_send(q, &s->pub);
}

static inline void bench_send(struct bench *b, struct queue *q, const char *body, const char *group)
{
    struct bench_sent s;
    bench_send_start(b, q, &s, body, group, NULL);
    bench_wait(b);
    assert_int_equal(s.entry.status, QUEUE_OK);
}

struct bench_got {
    struct queue_receive pub;
    struct bench *bench;
    char bodies[64]; /* one behind the other, with spaces between */
    char ids[QUEUE_BATCH_MAX][40], receipts[QUEUE_BATCH_MAX][96];
    char dedup_ids[QUEUE_BATCH_MAX][64];
    uint32_t receives[QUEUE_BATCH_MAX];
    int64_t sent_ms[QUEUE_BATCH_MAX];
    size_t n;
    bool answered;
};

static inline void bench_receive_done(struct queue_receive *r)
{
    struct bench_got *g = container_of(r, struct bench_got, pub);
    g->bench->waiting--;
    g->answered = true;
    g->n = r->n;
    for (size_t i = 0; i < r->n; i++) {
        const struct queue_message *m = &r->messages[i];
        size_t at = strlen(g->bodies);
        (void)snprintf(g->bodies + at, sizeof g->bodies - at, "%s" SLICE_FMT, i > 0 ? " " : "",
                       SLICE_ARG(m->body));
        (void)snprintf(g->dedup_ids[i], sizeof g->dedup_ids[i], SLICE_FMT, SLICE_ARG(m->dedup_id));
        memcpy(g->ids[i], m->id, sizeof m->id);
        memcpy(g->receipts[i], m->receipt, sizeof m->receipt);
        g->receives[i] = m->receives;
        g->sent_ms[i] = m->sent_ms;
    }
}

/* Asks and does not wait. attempt NULL: none. */
static inline void bench_receive_start(struct bench *b, struct queue *q, struct bench_got *g,
                                       size_t max, const char *attempt)
{
    *g = (struct bench_got){.bench = b};
    g->pub = (struct queue_receive){.max = max,
                                    .visibility_s = -1,
                                    .attempt_id = slice_of(attempt),
                                    .done = bench_receive_done};
    b->waiting++;
    queue_receive(q, &g->pub);
}

static inline void bench_receive(struct bench *b, struct queue *q, struct bench_got *g, size_t max,
                                 const char *attempt)
{
    bench_receive_start(b, q, g, max, attempt);
    bench_wait(b);
    assert_int_equal(g->pub.status, QUEUE_OK);
}

/* A receive of up to ten gives exactly these. */
#define assert_receives(b, q, want)                                                                \
    do {                                                                                           \
        struct bench_got got_;                                                                     \
        bench_receive(b, q, &got_, QUEUE_BATCH_MAX, NULL);                                         \
        assert_string_equal(got_.bodies, want);                                                    \
    } while (0)

static inline void bench_cancel(struct bench *b, struct bench_got *g)
{
    queue_receive_cancel(&g->pub);
    b->waiting--;
}

struct bench_touched {
    struct queue_touch pub;
    struct queue_touch_entry entry;
    struct bench *bench;
};

static inline void bench_touch_done(struct queue_touch *t)
{
    container_of(t, struct bench_touched, pub)->bench->waiting--;
}

/* visibility_s < 0: deletes. */
static inline enum queue_status bench_touch(struct bench *b, struct queue *q, const char *receipt,
                                            int64_t visibility_s)
{
    struct bench_touched t = {.bench = b};
    t.entry =
        (struct queue_touch_entry){.receipt = slice_of(receipt), .visibility_s = visibility_s};
    t.pub = (struct queue_touch){.entries = &t.entry, .n = 1, .done = bench_touch_done};
    b->waiting++;
    if (visibility_s < 0)
        queue_delete_messages(q, &t.pub);
    else
        queue_change_visibility(q, &t.pub);
    bench_wait(b);
    return t.entry.status;
}

static inline enum queue_status bench_delete(struct bench *b, struct queue *q, const char *receipt)
{
    return bench_touch(b, q, receipt, -1);
}

#endif
