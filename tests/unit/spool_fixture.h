/* spool_fixture.h - for the spool's tests: a loop and a spool in a directory of their own, and
 * operations that are waited for. */
#ifndef TESTS_SPOOL_FIXTURE_H
#define TESTS_SPOOL_FIXTURE_H

#include "base/base.h"
#include "engine/spool.h"
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FIXTURE_CHANGES = 16 };

struct fixture {
    struct loop *loop;
    struct spool *spool;
    struct error err;
    int64_t max_bytes;
    char folder[64], path[96];
    size_t waiting;  /* operations that fixture_wait waits for */
    char order[256]; /* marks of operations as they were done */
};

struct job {
    struct spool_op op;
    struct spool_change changes[FIXTURE_CHANGES];
    struct fixture *fixture;
    char mark;
    bool done;
};

static inline bool fixture_open(struct fixture *f)
{
    const struct spool_options o = {.path = f->path, .max_bytes = f->max_bytes};
    f->spool = spool_open(f->loop, &o, &f->err);
    return f->spool != NULL;
}

static inline void fixture_close(struct fixture *f)
{
    spool_close(f->spool);
    f->spool = NULL;
}

static inline void fixture_unlink(const struct fixture *f, const char *end)
{
    char name[128];
    snprintf(name, sizeof name, "%s%s", f->path, end);
    unlink(name);
}

/* *state becomes a fixture whose spool is not open yet. */
static inline int fixture_setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    if (f == NULL)
        return -1;
    snprintf(f->folder, sizeof f->folder, "/tmp/penstock-spool-XXXXXX");
    if (mkdtemp(f->folder) == NULL || (f->loop = loop_new(&f->err)) == NULL)
        return -1;
    snprintf(f->path, sizeof f->path, "%s/spool", f->folder);
    *state = f;
    return 0;
}

static inline int fixture_teardown(void **state)
{
    struct fixture *f = *state;
    fixture_close(f);
    loop_free(f->loop);
    static const char *const ends[] = {"", "-wal", "-shm", "-journal", ".lock"};
    for (size_t i = 0; i < ARRAY_LEN(ends); i++)
        fixture_unlink(f, ends[i]);
    int rc = rmdir(f->folder);
    free(f);
    return rc;
}

static inline void job_done(struct spool_op *op)
{
    struct job *j = container_of(op, struct job, op);
    struct fixture *f = j->fixture;
    j->done = true;
    size_t n = strlen(f->order);
    if (j->mark != '\0' && n + 1 < sizeof f->order)
        f->order[n] = j->mark;
    if (--f->waiting == 0)
        loop_stop(f->loop);
}

/* Adds a change to a job that began as {0}. */
static inline struct spool_change *job_add(struct job *j, struct spool_change c)
{
    assert_true(j->op.n < FIXTURE_CHANGES);
    j->changes[j->op.n] = c;
    return &j->changes[j->op.n++];
}

static inline void job_submit(struct fixture *f, struct job *j)
{
    j->fixture = f;
    j->op.changes = j->changes;
    j->op.done = job_done;
    f->waiting++;
    spool_submit(f->spool, &j->op);
}

static inline void fixture_wait(struct fixture *f)
{
    while (f->waiting > 0)
        loop_run(f->loop);
}

/* One change as an operation of its own: was it ok? What it read is in *c until *j is cleared. */
static inline bool fixture_do(struct fixture *f, struct job *j, struct spool_change c)
{
    spool_op_clear(&j->op);
    *j = (struct job){0};
    job_add(j, c);
    job_submit(f, j);
    fixture_wait(f);
    return j->op.ok;
}

static inline struct spool_change change_put(uint64_t id, const char *body)
{
    return (struct spool_change){.kind = SPOOL_PUT,
                                 .id = id,
                                 .born_ms = 1000 + (int64_t)id,
                                 .key = SLICE("group"),
                                 .head = SLICE("head"),
                                 .body = {body, strlen(body)}};
}

static inline bool fixture_put(struct fixture *f, uint64_t id, const char *body)
{
    struct job j = {0};
    return fixture_do(f, &j, change_put(id, body));
}

static inline bool fixture_drop(struct fixture *f, uint64_t id)
{
    struct job j = {0};
    return fixture_do(f, &j, (struct spool_change){.kind = SPOOL_DROP, .id = id}) &&
           j.changes[0].found;
}

/* Is the row there, with this body? */
static inline bool fixture_has(struct fixture *f, uint64_t id, const char *body)
{
    struct job j = {0};
    bool has = fixture_do(f, &j, (struct spool_change){.kind = SPOOL_READ, .id = id}) &&
               j.changes[0].found && slice_is(j.changes[0].body, body);
    spool_op_clear(&j.op);
    return has;
}

/* ---- scanning */

struct seen {
    struct spool_row rows[64]; /* keys are not kept */
    char keys[64][32];
    size_t n;
    char notes[512]; /* name=value; */
};

static inline void seen_note(void *ctx, struct slice name, struct slice value)
{
    struct seen *s = ctx;
    size_t n = strlen(s->notes);
    snprintf(s->notes + n, sizeof s->notes - n, SLICE_FMT "=" SLICE_FMT ";", SLICE_ARG(name),
             SLICE_ARG(value));
}

static inline void seen_row(void *ctx, const struct spool_row *row)
{
    struct seen *s = ctx;
    if (s->n < ARRAY_LEN(s->rows)) {
        s->rows[s->n] = *row;
        snprintf(s->keys[s->n], sizeof s->keys[0], SLICE_FMT, SLICE_ARG(row->key));
    }
    s->n++;
}

static inline bool fixture_scan(struct fixture *f, struct seen *s)
{
    *s = (struct seen){0};
    return spool_scan(f->spool, seen_note, seen_row, s, &f->err);
}

/* Closed and opened again: what is really there. */
static inline bool fixture_reopen(struct fixture *f, struct seen *s)
{
    fixture_close(f);
    return fixture_open(f) && fixture_scan(f, s);
}

#endif
