/* queue_load.c - at start: notes and rows of the spool become queues and their index. */
#include "engine/queue_load.h"

#include "base/mem.h"
#include "engine/queue_index.h"
#include "engine/queue_move.h"
#include "engine/queue_settings.h"
#include "engine/queue_sweep.h"
#include "engine/queue_wipe.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NOTE_LIMIT_BYTES = 512 * 1024, DEDUP_HEAD = 8, DEDUP_RECORD = 24, DELAY_MAX_MS = 900000 };

struct owner {
    uint32_t number;
    bool named, deleted;
    uint64_t end; /* first sequence number that was never used */
    struct queue *q;
};

struct load {
    struct queues *s;
    struct owner *owners; /* by number */
    size_t n, cap, last;
    bool secret;
    struct error *err;
    bool ok;
};

/* ---- owners */

static size_t place_of(const struct load *l, uint32_t number)
{
    size_t low = 0, high = l->n;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (l->owners[middle].number < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct owner *find_owner(struct load *l, uint32_t number)
{
    if (l->last >= l->n || l->owners[l->last].number != number)
        l->last = place_of(l, number);
    return l->last < l->n && l->owners[l->last].number == number ? &l->owners[l->last] : NULL;
}

static struct owner *get_owner(struct load *l, uint32_t number)
{
    struct owner *o = find_owner(l, number);
    if (o != NULL)
        return o;
    if (l->n == l->cap) {
        l->cap = l->cap > 0 ? l->cap * 2 : 16;
        l->owners = mem_realloc(l->owners, l->cap * sizeof *l->owners);
    }
    o = &l->owners[l->last];
    memmove(o + 1, o, (l->n - l->last) * sizeof *o);
    l->n++;
    *o = (struct owner){.number = number, .end = 1, .q = queue_new(l->s, number, SLICE_NONE)};
    return o;
}

/* ---- notes */

static void damaged(struct load *l, struct slice name)
{
    l->ok = error_set(l->err, ERROR_STORE, "note " SLICE_FMT " of the store is damaged",
                      SLICE_ARG(name));
}

static int64_t number_of(const struct json *j, const char *key)
{
    int64_t n = 0;
    return json_int(json_get(j, key), &n) ? n : 0;
}

static void load_def(struct load *l, struct owner *o, const struct json *j)
{
    struct queue *q = o->q;
    free(q->name);
    free(q->arn);
    q->name = slice_dup(json_text(json_get(j, "name")));
    q->arn = mem_printf("arn:aws:sqs:%s:%s:%s", l->s->region, l->s->account, q->name);
    q->created_s = number_of(j, "created");
    q->modified_s = number_of(j, "modified");
    queue_settings_free(&q->settings);
    queue_settings_read(&q->settings, json_get(j, "settings"));
    q->settings.declared = number_of(j, "declared") != 0;
    o->named = true;
    o->deleted = number_of(j, "deleted") != 0;
}

static void load_dedup(struct load *l, struct owner *o, struct slice name, struct slice value)
{
    struct queue_dedup *d = &o->q->dedup;
    int64_t wall_ms, now_ms = loop_now(l->s->loop);
    if (value.n < DEDUP_HEAD + DEDUP_RECORD || (value.n - DEDUP_HEAD) % DEDUP_RECORD != 0) {
        damaged(l, name);
        return;
    }
    memcpy(&wall_ms, value.p, 8);
    int64_t at_ms = queue_loop_time(l->s, wall_ms);
    for (size_t at = DEDUP_HEAD; at < value.n; at += DEDUP_RECORD) {
        uint64_t hash[2], seq;
        memcpy(hash, value.p + at, 16);
        memcpy(&seq, value.p + at + 16, 8);
        queue_dedup_load(d, hash, seq, at_ms < now_ms ? at_ms : now_ms, at == DEDUP_HEAD);
    }
}

static void load_json(struct load *l, struct owner *o, struct slice kind, struct slice name,
                      struct slice value, uint64_t number)
{
    struct json *j = json_parse(value, NOTE_LIMIT_BYTES, NULL);
    if (j == NULL)
        damaged(l, name);
    else if (slice_is(kind, "def"))
        load_def(l, o, j);
    else if (slice_is(kind, "tags"))
        queue_tags_read(&o->q->tags, j);
    else
        queue_move_read(o->q, number, j);
    json_free(j);
}

static void load_secret(struct load *l, struct slice name, struct slice value)
{
    if (value.n != sizeof l->s->secret) {
        damaged(l, name);
        return;
    }
    memcpy(l->s->secret, value.p, sizeof l->s->secret);
    l->secret = true;
}

static bool hex_of(struct slice text, uint64_t *out)
{
    char copy[20], *end;
    if (text.n == 0 || text.n >= sizeof copy)
        return false;
    memcpy(copy, text.p, text.n);
    copy[text.n] = '\0';
    *out = strtoull(copy, &end, 16);
    return *end == '\0';
}

/* queue.KIND.OWNER[.MORE] */
static void on_note(void *ctx, struct slice name, struct slice value)
{
    struct load *l = ctx;
    struct slice rest = name;
    uint64_t owner = 0;
    int64_t number = 0;
    if (!slice_is(slice_cut(&rest, '.'), "queue"))
        return;
    struct slice kind = slice_cut(&rest, '.');
    if (slice_is(kind, "secret")) {
        load_secret(l, name, value);
        return;
    }
    if (slice_is(kind, "owner")) {
        if (!slice_int(value, &number) || number < 1)
            damaged(l, name);
        else if (number > l->s->next_owner)
            l->s->next_owner = (uint32_t)number;
        return;
    }
    if (!hex_of(slice_cut(&rest, '.'), &owner)) {
        damaged(l, name);
        return;
    }
    struct owner *o = get_owner(l, (uint32_t)owner);
    if (slice_is(kind, "dedup")) {
        load_dedup(l, o, name, value);
    } else if (slice_is(kind, "seq")) {
        if (!slice_int(value, &number))
            damaged(l, name);
        else
            o->q->reserved = o->q->asked = (uint64_t)number;
    } else if (slice_is(kind, "def") || slice_is(kind, "tags") ||
               (slice_is(kind, "move") && slice_int(rest, &number))) {
        load_json(l, o, kind, name, value, (uint64_t)number);
    } else {
        damaged(l, name);
    }
}

/* ---- rows */

static int64_t bounded(int64_t ms, int64_t low, int64_t high)
{
    return ms < low ? low : ms > high ? high : ms;
}

static void load_row(struct queue *q, const struct spool_row *row, uint64_t seq)
{
    const struct queues *s = q->service;
    int64_t now_ms = queue_now(q);
    int64_t born_ms = bounded(queue_loop_time(s, row->born_ms), INT64_MIN, now_ms);
    q->bytes += row->bytes;
    if (row->takes == 0) {
        int64_t delay_ms = row->due_ms > 0 ? row->due_ms - row->born_ms : 0;
        queue_index_add(q, seq, born_ms, bounded(delay_ms, 0, DELAY_MAX_MS), row->key);
        return;
    }
    int64_t due_ms = row->due_ms > 0 ? queue_loop_time(s, row->due_ms) : born_ms;
    struct queue_arrival a = {
        .seq = seq,
        .born_ms = born_ms,
        .due_ms = bounded(due_ms, INT64_MIN, now_ms + QUEUE_VISIBILITY_MAX_S * INT64_C(1000)),
        .first_ms = row->first_ms,
        .takes = row->takes,
        .bytes = (uint32_t)row->bytes,
        .group = row->key,
    };
    queue_index_add_taken(q, &a);
}

/* Rows of others lie in the same table: who has no note here is not ours. */
static void on_row(void *ctx, const struct spool_row *row)
{
    struct load *l = ctx;
    uint64_t seq = row->id & ((UINT64_C(1) << SPOOL_SEQUENCE_BITS) - 1);
    struct owner *o = find_owner(l, (uint32_t)(row->id >> SPOOL_SEQUENCE_BITS));
    if (o == NULL)
        return;
    if (seq >= o->end)
        o->end = seq + 1;
    if (o->named && !o->deleted)
        load_row(o->q, row, seq);
}

/* ---- afterwards */

static void bury(struct owner *o)
{
    struct queue_wipe *w = mem_alloc(sizeof *w);
    w->service = o->q->service;
    w->owner = o->number;
    w->at = 1;
    w->end = o->end;
    queue_hold(o->q);
    queue_forget(o->q);
    queue_unhold(o->q);
    queue_wipe_start(w);
}

static void settle(struct load *l, struct owner *o)
{
    struct queue *q = o->q;
    if (q->reserved > o->end)
        o->end = q->reserved;
    q->first_seq = q->next_seq = o->end;
    struct queue *twin = o->named ? queues_find(l->s, slice_of(q->name)) : NULL;
    if (!o->named || o->deleted || twin != NULL) {
        bury(o);
        return;
    }
    queue_publish(q);
    queue_sweep_wake(q);
    queue_move_resume(q);
}

bool queue_load(struct queues *s, struct error *err)
{
    struct load l = {.s = s, .err = err, .ok = true};
    bool ok = spool_scan(s->spool, on_note, on_row, &l, err) && l.ok;
    s->secret_noted = l.secret;
    if (ok && !l.secret) {
        /* It gets to the disk with the first queue. */
        s->secret[0] = s->random();
        s->secret[1] = s->random();
    }
    /* The youngest first: of two with one name, it is the one that counts. */
    for (size_t i = l.n; ok && i > 0; i--) {
        if (l.owners[i - 1].number >= s->next_owner)
            s->next_owner = l.owners[i - 1].number + 1;
        settle(&l, &l.owners[i - 1]);
    }
    free(l.owners);
    return ok;
}
