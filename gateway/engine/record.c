/* record.c - makes and frees records: one block, three slices into it. */
#include "engine/record.h"

#include "base/mem.h"
#include <stdlib.h>
#include <string.h>

static struct slice place(char **at, struct slice s)
{
    struct slice copy = {*at, s.n};
    if (s.n > 0)
        memcpy(*at, s.p, s.n);
    *at += s.n;
    return copy;
}

struct record *record_new(struct slice id, struct slice key, struct slice json)
{
    struct record *r = mem_alloc_raw(sizeof *r + id.n + key.n + json.n);
    char *at = r->data;
    *r = (struct record){.decision = {VERDICT_NONE, 0, false}};
    list_init(&r->node);
    r->id = place(&at, id);
    r->key = place(&at, key);
    r->json = place(&at, json);
    return r;
}

void record_free(struct record *r)
{
    if (r == NULL)
        return;
    list_remove(&r->node);
    free(r);
}
