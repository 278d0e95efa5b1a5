/* spool_model.h - what a spool must hold after its end, however it ended: random operations on a
 * few hundred rows, and what each of them may have left. A row has at most one operation under
 * way; until that is told, the row is as before or as wished, and all rows of an operation alike.
 * Of the relaxed operations told since the last strict one a power cut may take the last ones. */
#ifndef TESTS_SPOOL_MODEL_H
#define TESTS_SPOOL_MODEL_H

#include "spool_fixture.h"

enum { MODEL_ROWS = 240, MODEL_BATCH = 6, MODEL_BODY = 24000, MODEL_OPS = 8, MODEL_RELAXED = 4096 };

struct model_row {
    bool there, wish_there;
    uint32_t takes, wish_takes;
    uint32_t op; /* under way; 0: none */
};

/* An operation, small enough to go through a pipe whole. */
struct model_op {
    uint32_t op;
    enum model_stage { MODEL_BEGUN, MODEL_DONE, MODEL_REFUSED } stage;
    enum spool_kind kind;
    bool relaxed;
    uint32_t n;
    struct {
        uint32_t row, takes;
        bool there;
    } to[MODEL_BATCH]; /* MOVE: from and to; DROP: with the takes that it had */
};

struct model {
    struct model_row rows[MODEL_ROWS];
    uint64_t random;
    uint32_t ops;                           /* begun so far; they are numbered from 1 on */
    struct model_op relaxed[MODEL_RELAXED]; /* told, and no strict one after them */
    uint32_t n_relaxed;
    uint32_t told_relaxed, lost, lost_drops; /* counted */
};

static inline uint32_t model_random(struct model *m, uint32_t below)
{
    m->random = m->random * 6364136223846793005ULL + 1442695040888963407ULL;
    return (uint32_t)((m->random >> 33) % below);
}

static inline uint64_t model_id(uint32_t row)
{
    return spool_id(1 + row % 3, row);
}

/* Most bodies share a page with others, some need a chain of pages. */
static inline struct slice model_body(uint32_t row)
{
    static char text[MODEL_BODY + MODEL_ROWS];
    if (text[0] == '\0')
        for (size_t i = 0; i < sizeof text; i++)
            text[i] = (char)('a' + (i * i / 7 + i) % 26);
    return (struct slice){text + row, row % 16 == 3 ? MODEL_BODY - row : 20 + row * 7 % 900};
}

static inline bool model_pick(struct model *m, bool there, const struct model_op *op, uint32_t *row)
{
    for (int tries = 0; tries < 40; tries++) {
        *row = model_random(m, MODEL_ROWS);
        bool good = m->rows[*row].op == 0 && m->rows[*row].there == there;
        for (uint32_t i = 0; i < op->n; i++)
            good = good && op->to[i].row != *row;
        if (good)
            return true;
    }
    return false;
}

static inline void model_set(struct model_op *op, uint32_t row, bool there, uint32_t takes)
{
    op->to[op->n].row = row;
    op->to[op->n].there = there;
    op->to[op->n].takes = takes;
    op->n++;
}

/* Thinks of an operation; n stays 0 when no rows are free for it. */
static inline struct model_op model_next(struct model *m)
{
    static const enum spool_kind kinds[] = {SPOOL_PUT,  SPOOL_PUT,  SPOOL_PUT, SPOOL_TAKE,
                                            SPOOL_TAKE, SPOOL_DROP, SPOOL_MOVE};
    struct model_op op = {.kind = kinds[model_random(m, ARRAY_LEN(kinds))]};
    uint32_t row, want = op.kind == SPOOL_MOVE ? 1 : 1 + model_random(m, MODEL_BATCH);
    while (op.n < want && model_pick(m, op.kind != SPOOL_PUT, &op, &row))
        model_set(&op, row, op.kind == SPOOL_PUT || op.kind == SPOOL_TAKE,
                  op.kind == SPOOL_TAKE   ? m->rows[row].takes + 1
                  : op.kind == SPOOL_DROP ? m->rows[row].takes
                                          : 0);
    if (op.kind == SPOOL_MOVE && op.n == 1) {
        if (model_pick(m, false, &op, &row))
            model_set(&op, row, true, 0);
        else
            op.n = 0;
    }
    if (op.n > 0)
        op.op = ++m->ops;
    op.relaxed = (op.kind == SPOOL_TAKE || op.kind == SPOOL_DROP) && model_random(m, 4) > 0;
    return op;
}

static inline void model_fill(struct job *j, const struct model_op *op)
{
    spool_op_clear(&j->op);
    *j = (struct job){.op.relaxed = op->relaxed};
    for (uint32_t i = 0; i < op->n; i++) {
        struct spool_change c = {.kind = op->kind, .id = model_id(op->to[i].row)};
        c.takes = op->to[i].takes;
        c.first_ms = c.takes;
        c.body = model_body(op->to[i].row);
        if (op->kind == SPOOL_MOVE) { /* its body stays that of the row it came from */
            c.to_id = model_id(op->to[1].row);
            job_add(j, c);
            break;
        }
        job_add(j, c);
    }
}

static inline void model_apply(struct model *m, const struct model_op *op)
{
    for (uint32_t i = 0; i < op->n; i++) {
        struct model_row *r = &m->rows[op->to[i].row];
        if (op->stage == MODEL_BEGUN) {
            r->op = op->op;
            r->wish_there = op->to[i].there;
            r->wish_takes = op->to[i].takes;
            continue;
        }
        if (op->stage == MODEL_DONE) {
            r->there = r->wish_there;
            r->takes = r->wish_takes;
        }
        r->op = 0;
    }
    if (op->stage != MODEL_DONE)
        return;
    m->told_relaxed += op->relaxed;
    if (!op->relaxed)
        m->n_relaxed = 0;
    else if (m->n_relaxed < MODEL_RELAXED)
        m->relaxed[m->n_relaxed++] = *op;
    else
        abort();
}

/* As if the last relaxed one that was told had never been; nor any that was not told yet. */
static inline void model_lose_one(struct model *m)
{
    const struct model_op *op = &m->relaxed[--m->n_relaxed];
    for (uint32_t i = 0; i < op->n; i++) {
        struct model_row *r = &m->rows[op->to[i].row];
        r->takes = op->kind == SPOOL_TAKE ? r->takes - 1 : op->to[i].takes;
        r->there = true;
    }
    for (uint32_t i = 0; i < MODEL_ROWS; i++)
        m->rows[i].op = 0;
    m->lost++;
    m->lost_drops += op->kind == SPOOL_DROP;
}

/* ---- comparing */

struct model_found {
    struct model_row rows[MODEL_ROWS];
    int64_t bytes;
};

static inline void model_on_row(void *ctx, const struct spool_row *row)
{
    struct model_found *f = ctx;
    uint64_t r = row->id & ((1ULL << SPOOL_SEQUENCE_BITS) - 1);
    assert_true(r < MODEL_ROWS && model_id((uint32_t)r) == row->id);
    f->rows[r].there = true;
    f->rows[r].takes = row->takes;
    assert_int_equal(row->first_ms, row->takes);
    f->bytes += (int64_t)(row->key.n + row->bytes);
}

static inline void model_on_note(void *ctx, struct slice name, struct slice value)
{
    (void)ctx, (void)name, (void)value;
}

/* A moved row has another's body: any of the model's bodies, but a whole one. */
static inline void model_check_body(struct fixture *f, uint32_t row)
{
    struct job j = {0};
    struct spool_change read = {.kind = SPOOL_READ, .id = model_id(row)};
    assert_true(fixture_do(f, &j, read) && j.changes[0].found);
    bool whole = false;
    for (uint32_t r = 0; r < MODEL_ROWS && !whole; r++)
        whole = slice_eq(j.changes[0].body, model_body(r));
    assert_true(whole);
    spool_op_clear(&j.op);
}

static inline bool model_same(const struct model_row *found, bool there, uint32_t takes)
{
    return found->there == there && (!there || found->takes == takes);
}

/* Why it is not as the model says; empty: it is. */
static inline void model_compare(const struct model *m, const struct model_found *found, char *why,
                                 size_t room)
{
    static bool kept[1 << 20], wished[1 << 20];
    memset(kept, 0, sizeof kept);
    memset(wished, 0, sizeof wished);
    why[0] = '\0';
    for (uint32_t i = 0; i < MODEL_ROWS && why[0] == '\0'; i++) {
        const struct model_row *r = &m->rows[i], *now = &found->rows[i];
        bool as_before = model_same(now, r->there, r->takes);
        bool as_wished = r->op != 0 && model_same(now, r->wish_there, r->wish_takes);
        if (!as_before && !as_wished)
            snprintf(why, room, "row %u: there %d takes %u, but was there %d takes %u, op %u", i,
                     now->there, now->takes, r->there, r->takes, r->op);
        kept[r->op] |= r->op != 0 && !as_wished;
        wished[r->op] |= r->op != 0 && !as_before;
        if (kept[r->op] && wished[r->op])
            snprintf(why, room, "operation %u is half done", r->op);
    }
}

/* Opens f's file and compares. The model then knows what is there, with nothing under way. */
static inline void model_check(struct model *m, struct fixture *f, bool power_cut)
{
    static struct model_found found;
    char why[128], first[128];
    found = (struct model_found){0};
    if (!fixture_open(f) || !spool_scan(f->spool, model_on_note, model_on_row, &found, &f->err))
        fail_msg("%s", f->err.text);
    assert_int_equal(spool_bytes(f->spool), found.bytes);
    model_compare(m, &found, why, sizeof why);
    snprintf(first, sizeof first, "%s", why);
    while (why[0] != '\0' && power_cut && m->n_relaxed > 0) {
        model_lose_one(m);
        model_compare(m, &found, why, sizeof why);
    }
    if (why[0] != '\0')
        fail_msg("%s; without all that may be lost: %s", first, why);
    for (uint32_t i = 0; i < MODEL_ROWS; i++) {
        if (found.rows[i].there)
            model_check_body(f, i);
        m->rows[i] = found.rows[i];
    }
    m->n_relaxed = 0;
}

#endif
