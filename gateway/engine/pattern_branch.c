/* pattern_branch.c - the branches of a pattern: each combination of the objects of its $or. */
#include "base/mem.h"
#include "engine/pattern_parts.h"

#include <stdlib.h>
#include <string.h>

/* Fields of all branches together: what is left to bound when the branches are bounded. */
enum { ENTRIES_MAX = 1000 * 1000 };

struct gather {
    struct pattern_item **items; /* those with fields, as in the text */
    size_t n;
};

/* Fields of one branch by their rank. */
struct slots {
    const struct pattern_field **fields;
    size_t n; /* ranks */
};

static void gather(struct gather *g, const struct pattern_all *all)
{
    for (struct pattern_item *item = all->first; item; item = item->next) {
        if (item->field)
            g->items[g->n++] = item;
        for (size_t i = 0; i < item->n_any; i++)
            gather(g, &item->any[i]);
    }
}

static int by_path(const void *a, const void *b)
{
    const struct pattern_item *x = *(struct pattern_item *const *)a;
    const struct pattern_item *y = *(struct pattern_item *const *)b;
    struct slice p = x->field->path, q = y->field->path;
    int order = memcmp(p.p, q.p, p.n < q.n ? p.n : q.n);
    return order ? order : (p.n > q.n) - (p.n < q.n);
}

/* Equal paths get the same rank. */
static size_t rank(struct gather *g)
{
    size_t ranks = 0;
    qsort(g->items, g->n, sizeof *g->items, by_path);
    for (size_t i = 0; i < g->n; i++) {
        ranks += i == 0 || by_path(&g->items[i - 1], &g->items[i]) != 0;
        g->items[i]->rank = ranks - 1;
    }
    return ranks;
}

/* The combination with this number; in the order of the text, so that the last of a path stays. */
static void collect(struct slots *slots, const struct pattern_all *all, size_t combo)
{
    for (const struct pattern_item *item = all->first; item; item = item->next) {
        if (item->field) {
            slots->fields[item->rank] = item->field;
            continue;
        }
        size_t own = combo % item->combos, i = 0;
        combo /= item->combos;
        while (own >= item->any[i].combos)
            own -= item->any[i++].combos;
        collect(slots, &item->any[i], own);
    }
}

static void make_branch(struct arena *arena, struct slots *slots, struct pattern_branch *branch)
{
    size_t n = 0;
    for (size_t i = 0; i < slots->n; i++)
        n += slots->fields[i] != NULL;
    const struct pattern_field **kept = arena_alloc(arena, n * sizeof *kept);
    branch->fields = kept;
    branch->n = n;
    for (size_t i = 0; i < slots->n; i++)
        if (slots->fields[i])
            *kept++ = slots->fields[i];
}

static void make_branches(struct pattern *p, const struct pattern_all *all, size_t ranks)
{
    struct pattern_branch *branches = arena_alloc(&p->arena, all->combos * sizeof *branches);
    struct slots slots = {mem_alloc(ranks * sizeof *slots.fields), ranks};
    for (size_t i = 0; i < all->combos; i++) {
        memset(slots.fields, 0, ranks * sizeof *slots.fields);
        collect(&slots, all, i);
        make_branch(&p->arena, &slots, &branches[i]);
    }
    p->branches = branches;
    p->n_branches = all->combos;
    free(slots.fields);
}

static bool fits(struct pattern_compile *c, const struct gather *g)
{
    for (size_t i = 0; i < g->n; i++)
        if (!pattern_cost_fits(g->items[i]->field))
            return pattern_json_plain(&c->json, g->items[i]->field->at,
                                      "Rule is too complex - try using fewer wildcard characters "
                                      "or fewer repeating character sequences after a wildcard "
                                      "character");
    return true;
}

bool pattern_branch_make(struct pattern_compile *c, const struct pattern_all *all)
{
    if (all->combos > PATTERN_BRANCHES_MAX)
        return pattern_json_plain(&c->json, c->or_at,
                                  "Event pattern contains more than %d rule combinations",
                                  PATTERN_BRANCHES_MAX);
    struct gather g = {mem_alloc(all->n * sizeof *g.items), 0};
    gather(&g, all);
    bool ok = fits(c, &g);
    size_t ranks = rank(&g);
    free(g.items);
    if (ok && all->combos * ranks > ENTRIES_MAX)
        return pattern_json_plain(&c->json, c->or_at,
                                  "Event pattern has too many fields for %zu rule combinations",
                                  all->combos);
    if (ok)
        make_branches(c->pattern, all, ranks);
    return ok;
}
