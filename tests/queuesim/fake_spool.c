/* fake_spool.c - the spool's contract in memory: virtual time, delays, failures, crashes. */
#include "tests/queuesim/fake_spool.h"

#include "base/mem.h"
#include "tests/queuesim/require.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct spool {
    struct loop *loop;
    struct fake_disk *disk;
    struct fake_spool_faults faults;
    struct list waiting, committed; /* struct spool_op */
    struct timer commit, tell;
    bool crashed;
};

/* ---- disk */

size_t fake_disk_place(const struct fake_disk *d, uint64_t id)
{
    size_t low = 0, high = d->n;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (d->rows[middle].id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct fake_row *fake_disk_find(const struct fake_disk *d, uint64_t id)
{
    size_t i = fake_disk_place(d, id);
    return i < d->n && d->rows[i].id == id ? &d->rows[i] : NULL;
}

static struct fake_row *insert(struct fake_disk *d, uint64_t id)
{
    size_t i = fake_disk_place(d, id);
    REQUIRE(i == d->n || d->rows[i].id != id);
    if (d->n == d->cap) {
        d->cap = d->cap > 0 ? d->cap * 2 : 64;
        d->rows = mem_realloc(d->rows, d->cap * sizeof *d->rows);
    }
    memmove(&d->rows[i + 1], &d->rows[i], (d->n - i) * sizeof *d->rows);
    d->n++;
    d->rows[i] = (struct fake_row){.id = id};
    return &d->rows[i];
}

static void row_free(struct fake_row *r)
{
    free(r->key);
    free(r->head);
    free(r->body);
}

static void erase(struct fake_disk *d, size_t from, size_t n)
{
    if (n == 0)
        return;
    for (size_t i = from; i < from + n; i++)
        row_free(&d->rows[i]);
    memmove(&d->rows[from], &d->rows[from + n], (d->n - from - n) * sizeof *d->rows);
    d->n -= n;
}

static void note(struct fake_disk *d, struct slice name, struct slice value)
{
    size_t i = 0;
    while (i < d->n_notes && !slice_is(name, d->notes[i].name))
        i++;
    if (i < d->n_notes) {
        free(d->notes[i].name);
        free(d->notes[i].value);
        d->notes[i] = d->notes[--d->n_notes];
    }
    if (value.n == 0)
        return;
    if (d->n_notes == d->cap_notes) {
        d->cap_notes = d->cap_notes > 0 ? d->cap_notes * 2 : 64;
        d->notes = mem_realloc(d->notes, d->cap_notes * sizeof *d->notes);
    }
    d->notes[d->n_notes++] =
        (struct fake_note){.name = slice_dup(name), .value = slice_dup(value), .n = value.n};
}

void fake_disk_free(struct fake_disk *d)
{
    erase(d, 0, d->n);
    for (size_t i = 0; i < d->n_notes; i++) {
        free(d->notes[i].name);
        free(d->notes[i].value);
    }
    fake_disk_sync(d);
    free(d->rows);
    free(d->notes);
    free(d->unsynced);
    *d = (struct fake_disk){0};
}

/* ---- power */

static void keep_undo(struct fake_disk *d, struct fake_row *r, bool dropped)
{
    if (d->n_unsynced == d->cap_unsynced) {
        d->cap_unsynced = d->cap_unsynced > 0 ? d->cap_unsynced * 2 : 64;
        d->unsynced = mem_realloc(d->unsynced, d->cap_unsynced * sizeof *d->unsynced);
    }
    struct fake_undo *u = &d->unsynced[d->n_unsynced++];
    *u = (struct fake_undo){.row = *r, .dropped = dropped};
    struct fake_row *bare = dropped ? r : &u->row; /* the texts go with what is dropped */
    bare->key = bare->head = bare->body = NULL;
}

void fake_disk_power_cut(struct fake_disk *d, size_t n, void (*lost)(const struct fake_row *, bool))
{
    for (; n > 0; n--) {
        const struct fake_undo *u = &d->unsynced[--d->n_unsynced];
        struct fake_row *r = u->dropped ? insert(d, u->row.id) : fake_disk_find(d, u->row.id);
        REQUIRE(r != NULL); /* what moves or wipes it is a sync of all before */
        if (u->dropped)
            *r = u->row;
        r->due_ms = u->row.due_ms;
        r->first_ms = u->row.first_ms;
        r->takes = u->row.takes;
        lost(r, u->dropped);
    }
    fake_disk_sync(d);
}

void fake_disk_sync(struct fake_disk *d)
{
    for (; d->n_unsynced > 0; d->n_unsynced--)
        row_free(&d->unsynced[d->n_unsynced - 1].row);
}

/* ---- changes */

/* What TAKE and READ brought: a list of copies that the operation owns. */
struct copy {
    struct copy *next;
    char bytes[];
};

static struct slice copy_into(struct spool_op *op, const char *p, size_t n)
{
    struct copy *c = mem_alloc(sizeof *c + n + 1);
    if (n > 0)
        memcpy(c->bytes, p, n);
    c->next = op->block;
    op->block = c;
    return (struct slice){c->bytes, n};
}

static void set(char **field, size_t *n, struct slice value)
{
    free(*field);
    *field = slice_dup(value);
    *n = value.n;
}

static void put(struct fake_disk *d, const struct spool_change *c)
{
    struct fake_row *r = insert(d, c->id);
    r->born_ms = c->born_ms;
    r->due_ms = c->due_ms;
    r->takes = c->takes;
    r->first_ms = c->first_ms;
    REQUIRE(c->key.n <= SPOOL_KEY_MAX);
    set(&r->key, &r->key_n, c->key);
    set(&r->head, &r->head_n, c->head);
    set(&r->body, &r->body_n, c->body);
}

static void move(struct fake_disk *d, const struct spool_change *c, struct fake_row *r)
{
    struct fake_row moved = *r;
    *r = (struct fake_row){.id = r->id};
    erase(d, (size_t)(r - d->rows), 1);
    struct fake_row *to = insert(d, c->to_id);
    moved.id = c->to_id;
    *to = moved;
    to->due_ms = c->due_ms;
    to->takes = c->takes;
    to->first_ms = c->first_ms;
    if (c->born_ms != 0)
        to->born_ms = c->born_ms;
    if (c->head.n > 0)
        set(&to->head, &to->head_n, c->head);
}

static void take_or_read(struct spool_op *op, struct spool_change *c, struct fake_row *r)
{
    if (c->kind == SPOOL_TAKE) {
        REQUIRE(c->takes + 1 >= r->takes && c->takes <= r->takes + 1); /* counts never skip */
        REQUIRE(r->first_ms == 0 || c->first_ms == r->first_ms || c->takes < r->takes);
        r->due_ms = c->due_ms;
        r->takes = c->takes;
        r->first_ms = c->first_ms;
    }
    c->head = copy_into(op, r->head, r->head_n);
    c->body = copy_into(op, r->body, r->body_n);
}

static void change(struct fake_disk *d, struct spool_op *op, struct spool_change *c)
{
    struct fake_row *r = fake_disk_find(d, c->id);
    c->found = r != NULL;
    if (op->relaxed && r != NULL)
        keep_undo(d, r, c->kind == SPOOL_DROP);
    switch (c->kind) {
    case SPOOL_PUT:
        put(d, c);
        break;
    case SPOOL_NOTE:
        note(d, c->head, c->body);
        break;
    case SPOOL_WIPE: {
        size_t from = fake_disk_place(d, c->id), to = fake_disk_place(d, c->to_id + 1);
        erase(d, from, to - from);
        break;
    }
    case SPOOL_TAKE:
    case SPOOL_READ:
        if (r != NULL)
            take_or_read(op, c, r);
        break;
    case SPOOL_DUE:
        if (r != NULL)
            r->due_ms = c->due_ms;
        break;
    case SPOOL_DROP:
        if (r != NULL)
            erase(d, (size_t)(r - d->rows), 1);
        break;
    case SPOOL_MOVE:
        if (r != NULL)
            move(d, c, r);
        break;
    }
}

/* ---- operations */

static uint64_t below(struct spool *s, uint64_t n)
{
    return n > 0 ? s->faults.random() % n : 0;
}

static void perform(struct spool *s, struct spool_op *op)
{
    op->ok = !s->crashed && below(s, 100) >= s->faults.fail_percent;
    op->full = !op->ok && below(s, 2) == 0;
    (void)snprintf(op->why, sizeof op->why, "%s", op->ok ? "" : "simulated");
    s->disk->commits += op->ok;
    s->disk->fails += !op->ok;
    for (size_t i = 0; op->ok && i < op->n; i++)
        change(s->disk, op, &op->changes[i]);
    if (op->ok && !op->relaxed)
        fake_disk_sync(s->disk);
    list_remove(&op->node);
    list_append(&s->committed, &op->node);
}

static void arm(struct spool *s)
{
    if (!list_empty(&s->waiting) && !timer_armed(&s->commit))
        timer_start(s->loop, &s->commit, (int64_t)below(s, (uint64_t)s->faults.commit_ms + 1));
    if (!list_empty(&s->committed) && !timer_armed(&s->tell))
        timer_start(s->loop, &s->tell, (int64_t)below(s, (uint64_t)s->faults.told_ms + 1));
}

static bool is_relaxed(struct list *node)
{
    return container_of(node, struct spool_op, node)->relaxed;
}

/* Relaxed ones may overtake the others. False: nothing waits. */
static bool perform_one(struct spool *s)
{
    struct list *next = s->waiting.next;
    if (list_empty(&s->waiting))
        return false;
    if (below(s, 3) > 0)
        while (!is_relaxed(next) && next->next != &s->waiting)
            next = next->next;
    if (!is_relaxed(next))
        next = s->waiting.next;
    perform(s, container_of(next, struct spool_op, node));
    return true;
}

static void commit(struct timer *t)
{
    struct spool *s = container_of(t, struct spool, commit);
    for (uint64_t n = 1 + below(s, 8); n > 0 && perform_one(s);)
        n--;
    arm(s);
}

static void tell_one(struct spool *s)
{
    struct spool_op *op = container_of(s->committed.next, struct spool_op, node);
    list_remove(&op->node);
    op->done(op);
}

static void tell(struct timer *t)
{
    struct spool *s = container_of(t, struct spool, tell);
    for (uint64_t n = 1 + below(s, 4); n > 0 && !list_empty(&s->committed); n--)
        tell_one(s);
    arm(s);
}

void spool_submit(struct spool *s, struct spool_op *op)
{
    REQUIRE(op->n > 0 && op->changes != NULL && op->done != NULL && op->block == NULL);
    for (size_t i = 0; i < op->n && op->relaxed; i++)
        REQUIRE(op->changes[i].kind >= SPOOL_TAKE && op->changes[i].kind <= SPOOL_DROP);
    op->ok = op->full = false;
    list_append(&s->waiting, &op->node);
    if (!s->crashed)
        arm(s);
}

void spool_op_clear(struct spool_op *op)
{
    for (struct copy *c = op->block, *next; c != NULL; c = next) {
        next = c->next;
        free(c);
    }
    op->block = NULL;
}

struct spool *fake_spool_open(struct loop *loop, struct fake_disk *disk,
                              const struct fake_spool_faults *faults)
{
    struct spool *s = mem_alloc(sizeof *s);
    *s = (struct spool){.loop = loop, .disk = disk, .faults = *faults};
    s->commit.fire = commit;
    s->tell.fire = tell;
    list_init(&s->waiting);
    list_init(&s->committed);
    return s;
}

void fake_spool_set_faults(struct spool *s, const struct fake_spool_faults *faults)
{
    s->faults = *faults;
}

bool fake_spool_idle(const struct spool *s)
{
    return list_empty(&s->waiting) && list_empty(&s->committed);
}

void fake_spool_crash(struct spool *s)
{
    s->crashed = true;
    timer_stop(s->loop, &s->commit);
    timer_stop(s->loop, &s->tell);
}

void fake_spool_free(struct spool *s)
{
    while (!fake_spool_idle(s)) {
        (void)perform_one(s);
        if (!list_empty(&s->committed))
            tell_one(s);
    }
    fake_spool_crash(s);
    free(s);
}

bool spool_scan(struct spool *s, void (*on_note)(void *ctx, struct slice name, struct slice value),
                void (*on_row)(void *ctx, const struct spool_row *row), void *ctx,
                struct error *err)
{
    (void)err;
    const struct fake_disk *d = s->disk;
    for (size_t i = 0; i < d->n_notes; i++)
        on_note(ctx, slice_of(d->notes[i].name), (struct slice){d->notes[i].value, d->notes[i].n});
    for (size_t i = 0; i < d->n; i++) {
        const struct fake_row *r = &d->rows[i];
        struct spool_row row = {.id = r->id,
                                .born_ms = r->born_ms,
                                .due_ms = r->due_ms,
                                .first_ms = r->first_ms,
                                .takes = r->takes,
                                .key = {r->key, r->key_n},
                                .bytes = r->key_n + r->head_n + r->body_n};
        on_row(ctx, &row);
    }
    return true;
}
