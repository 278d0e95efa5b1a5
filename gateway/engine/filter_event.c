/* filter_event.c - reads an event once, along the tree of names, and keeps the leaves. */
#include "engine/filter_event.h"

#include "base/json_scan.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

enum {
    KEPT_ENTRIES = 4096, /* capacity that is never given back */
    KEPT_BYTES = 64 * 1024,
    FIRST_ENTRIES = 64,
};

struct reader {
    struct json_scan scan;
    struct filter_event *event;
    struct slice passed; /* name of the top-level member whose own value does not count; p NULL */
};

/* An element of an array, while it is read; becomes a member when a leaf is found in it. */
struct element {
    struct element *up;
    uint32_t array, member;
};

void filter_event_init(struct filter_event *e, uint32_t n_paths)
{
    *e = (struct filter_event){.n_paths = n_paths};
    e->paths = mem_alloc((n_paths + 1) * sizeof *e->paths);
    e->touched = mem_alloc((n_paths + 1) * sizeof *e->touched);
    for (uint32_t i = 0; i < n_paths; i++)
        e->paths[i].first = FILTER_NONE;
    buf_init(&e->name, FILTER_EVENT_MAX);
    buf_init(&e->text, FILTER_EVENT_MAX);
}

void filter_event_free(struct filter_event *e)
{
    free(e->leaves);
    free(e->members);
    free(e->paths);
    free(e->touched);
    buf_free(&e->name);
    buf_free(&e->text);
}

size_t filter_event_bytes(const struct filter_event *e)
{
    return e->cap_leaves * sizeof *e->leaves + e->cap_members * sizeof *e->members + e->text.cap +
           e->name.cap;
}

/* What the last event left unused is given back when it is much. */
static void *fitted(void *p, uint32_t used, uint32_t *cap, size_t size)
{
    if (*cap <= KEPT_ENTRIES || used > *cap / 8)
        return p;
    *cap = used > KEPT_ENTRIES ? used : KEPT_ENTRIES;
    return mem_realloc(p, *cap * size);
}

static void reset(struct filter_event *e)
{
    for (uint32_t i = 0; i < e->n_touched; i++)
        e->paths[e->touched[i]] = (struct filter_path){.first = FILTER_NONE};
    e->leaves = fitted(e->leaves, e->n_leaves, &e->cap_leaves, sizeof *e->leaves);
    e->members = fitted(e->members, e->n_members, &e->cap_members, sizeof *e->members);
    if (e->text.cap > KEPT_BYTES && e->text.n <= e->text.cap / 8)
        buf_free(&e->text);
    if (e->name.cap > KEPT_BYTES)
        buf_free(&e->name);
    buf_clear(&e->text);
    e->n_touched = e->n_leaves = e->n_members = e->n_arrays = 0;
    e->n_text = 0;
}

/* The event's size bounds how many there are: each takes a byte of it and a comma. */
static void *grown(void *p, uint32_t *cap, size_t size)
{
    *cap = *cap ? 2 * *cap : FIRST_ENTRIES;
    return mem_realloc(p, *cap * size);
}

static uint32_t add_member(struct filter_event *e, uint32_t parent, uint32_t array)
{
    if (e->n_members == e->cap_members)
        e->members = grown(e->members, &e->cap_members, sizeof *e->members);
    e->members[e->n_members] = (struct filter_member){.parent = parent, .array = array};
    return e->n_members++;
}

static uint32_t member_of(struct filter_event *e, struct element *el)
{
    if (!el)
        return 0;
    if (el->member == FILTER_NONE)
        el->member = add_member(e, member_of(e, el->up), el->array);
    return el->member;
}

static void add_leaf(struct filter_event *e, uint32_t path, struct filter_leaf leaf)
{
    if (e->n_leaves == e->cap_leaves)
        e->leaves = grown(e->leaves, &e->cap_leaves, sizeof *e->leaves);
    struct filter_path *p = &e->paths[path];
    uint32_t number = e->n_leaves++;
    if (p->first == FILTER_NONE) {
        p->first = number;
        e->touched[e->n_touched++] = path;
    } else {
        e->leaves[p->last].next = number;
    }
    p->last = number;
    p->n++;
    p->inside |= leaf.member != 0;
    leaf.next = FILTER_NONE;
    e->leaves[number] = leaf;
    if (leaf.escapes)
        e->n_text += leaf.n;
}

/* At a scalar that a path names. */
static bool read_leaf(struct reader *r, uint32_t path, struct element *el)
{
    struct filter_leaf leaf = {.p = r->scan.p};
    struct slice raw;
    if (*leaf.p == '"') {
        if (!json_scan_string(&r->scan, &raw, &leaf.escapes))
            return false;
    } else {
        if (!json_scan_value(&r->scan))
            return false;
        raw = (struct slice){leaf.p, (size_t)(r->scan.p - leaf.p)};
        leaf.kind = *leaf.p == 't'   ? FILTER_TRUE
                    : *leaf.p == 'f' ? FILTER_FALSE
                    : *leaf.p == 'n' ? FILTER_NULL
                                     : FILTER_NUMBER;
    }
    leaf.p = raw.p;
    leaf.n = (uint32_t)raw.n;
    leaf.member = member_of(r->event, el);
    add_leaf(r->event, path, leaf);
    return true;
}

static bool read_value(struct reader *, const struct filter_node *, struct element *);

/* The node a name leads to; NULL: nobody asks, or the graft stands there. */
static const struct filter_node *named(struct reader *r, const struct filter_node *node,
                                       struct slice name, bool escapes)
{
    if (escapes) {
        struct buf *b = &r->event->name;
        buf_clear(b);
        if (!buf_reserve(b, name.n))
            return NULL;
        name = (struct slice){b->p, json_scan_unescape(name, b->p)};
    }
    if (r->passed.p && r->scan.depth == 1 && slice_eq(name, r->passed))
        return NULL;
    return filter_tree_find(node, name);
}

static bool read_object(struct reader *r, const struct filter_node *node, struct element *el)
{
    struct json_scan *s = &r->scan;
    bool more = true, escapes;
    struct slice name;
    if (!json_scan_open(s))
        return false;
    if (json_scan_empty(s))
        return true;
    while (more) {
        if (!json_scan_name(s, &name, &escapes))
            return false;
        const struct filter_node *child = named(r, node, name, escapes);
        if (!(child ? read_value(r, child, el) : json_scan_value(s)) || !json_scan_comma(s, &more))
            return false;
    }
    return true;
}

static bool read_array(struct reader *r, const struct filter_node *node, struct element *up)
{
    struct json_scan *s = &r->scan;
    struct filter_event *e = r->event;
    uint32_t array = e->n_arrays++;
    bool more = true;
    if (!json_scan_open(s))
        return false;
    if (json_scan_empty(s))
        return true;
    while (more) {
        bool inner = s->p < s->end && (*s->p == '{' || *s->p == '[');
        struct element el = {up, array, FILTER_NONE};
        if (!read_value(r, node, inner ? &el : up))
            return false;
        if (el.member != FILTER_NONE)
            e->members[el.member].end = e->n_members;
        if (!json_scan_comma(s, &more))
            return false;
    }
    return true;
}

static bool read_value(struct reader *r, const struct filter_node *node, struct element *el)
{
    char c = r->scan.p < r->scan.end ? *r->scan.p : '\0';
    if (c == '{')
        return node->n ? read_object(r, node, el) : json_scan_value(&r->scan);
    if (c == '[')
        return read_array(r, node, el);
    return node->path == FILTER_NONE || c == '\0' ? json_scan_value(&r->scan)
                                                  : read_leaf(r, node->path, el);
}

/* The whole text is one value; top: an object. */
static bool read_text(struct reader *r, const struct filter_node *node, struct slice text, bool top)
{
    json_scan_init(&r->scan, text);
    json_scan_blanks(&r->scan);
    if (top && (r->scan.p == r->scan.end || *r->scan.p != '{'))
        return false;
    bool ok = top ? read_object(r, node, NULL) : read_value(r, node, NULL);
    if (!ok)
        return false;
    json_scan_blanks(&r->scan);
    return r->scan.p == r->scan.end;
}

static bool read_graft(struct reader *r, const struct filter_tree *tree,
                       const struct filter_graft *graft)
{
    static const struct filter_node nobody = {.path = FILTER_NONE};
    const struct filter_node *node = filter_tree_find(&tree->root, graft->key);
    r->passed = (struct slice){NULL, 0};
    if (graft->json)
        return read_text(r, node ? node : &nobody, graft->value, false);
    if (node && node->path != FILTER_NONE)
        add_leaf(r->event, node->path,
                 (struct filter_leaf){.p = graft->value.n ? graft->value.p : "",
                                      .n = (uint32_t)graft->value.n,
                                      .plain = true});
    return true;
}

bool filter_event_read(struct filter_event *e, const struct filter_tree *tree, struct slice event,
                       const struct filter_graft *graft, size_t *at)
{
    struct reader r = {.event = e};
    reset(e);
    *at = 0;
    if (event.n > FILTER_EVENT_MAX || (graft && graft->value.n > FILTER_EVENT_MAX - event.n))
        return false;
    add_member(e, 0, FILTER_NONE);
    if (graft)
        r.passed = graft->key;
    bool ok = read_text(&r, &tree->root, event, true);
    *at = (size_t)(r.scan.p - event.p);
    if (ok && graft && !graft->absent) {
        ok = read_graft(&r, tree, graft);
        if (!ok)
            *at = event.n + (size_t)(r.scan.p - graft->value.p);
    }
    e->members[0].end = e->n_members;
    return ok;
}

struct slice filter_event_text(struct filter_event *e, uint32_t number)
{
    struct filter_leaf *leaf = &e->leaves[number];
    struct slice raw = {leaf->p, leaf->n};
    if (!leaf->escapes)
        return raw;
    /* An escape means a byte at least: 0 is not done yet. Room for all at once, so that what was
     * handed out does not move. */
    if (leaf->text_n == 0) {
        if (e->text.n == 0 && !buf_reserve(&e->text, e->n_text))
            return raw;
        leaf->text_at = (uint32_t)e->text.n;
        leaf->text_n = (uint32_t)json_scan_unescape(raw, e->text.p + e->text.n);
        e->text.n += leaf->text_n;
    }
    return (struct slice){e->text.p + leaf->text_at, leaf->text_n};
}
