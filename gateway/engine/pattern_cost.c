/* pattern_cost.c - how much the wildcards of one field can cost to match, and the limit on it.
 * The measure is that of the engine behind EventBridge: the wildcards are one automaton over the
 * bytes of the quoted text; of all sets of states it can be in at once, the largest counts, a state
 * as often as there are alternatives that can still be reached from it. */
#include "base/mem.h"
#include "engine/pattern_parts.h"

#include <stdlib.h>
#include <string.h>

/* EventBridge refuses what can be in more than ten. The sets looked at are bounded because in the
 * end their number is exponential; a pattern that needs more is refused too. */
enum { COST_MAX = 10, SETS_MAX = 8192, SLOTS = 2 * SETS_MAX };

struct state {
    unsigned char byte;                  /* that leads here */
    bool star;                           /* any byte stays here */
    uint32_t child, sibling, star_child; /* 0: none */
    uint32_t weight, counted; /* counted: the alternative (its number) that was the last to count */
};

struct set {
    uint32_t n, ids[COST_MAX + 1]; /* ascending */
};

struct cost {
    struct state *states; /* the first is the start */
    uint32_t n;
    struct set *sets;
    uint32_t n_sets, cap_sets;
    uint16_t *slots; /* number of a set + 1, by its hash */
};

static uint32_t add_state(struct cost *c, uint32_t from, unsigned char byte, bool star)
{
    uint32_t id = c->n++;
    struct state *parent = &c->states[from];
    c->states[id] = (struct state){.byte = byte, .star = star};
    if (star) {
        parent->star_child = id;
    } else {
        c->states[id].sibling = parent->child;
        parent->child = id;
    }
    return id;
}

/* What leads up to the first star is shared between alternatives. */
static uint32_t find_state(const struct cost *c, uint32_t from, unsigned char byte, bool star)
{
    if (star)
        return c->states[from].star_child;
    uint32_t id = c->states[from].child;
    while (id && c->states[id].byte != byte)
        id = c->states[id].sibling;
    return id;
}

struct walk {
    uint32_t at, alternative;
    bool shares;
};

static void step_states(struct cost *c, struct walk *w, unsigned char byte, bool star)
{
    uint32_t id = w->shares ? find_state(c, w->at, byte, star) : 0;
    w->at = id ? id : add_state(c, w->at, byte, star);
    w->shares = w->shares && !star;
    struct state *state = &c->states[w->at];
    if (state->counted != w->alternative) {
        state->counted = w->alternative;
        state->weight++;
    }
}

static void add_wildcard(struct cost *c, const struct pattern_value *v, uint32_t alternative)
{
    struct walk w = {.alternative = alternative, .shares = true};
    step_states(c, &w, '"', false);
    for (size_t i = 0; i < v->n_parts; i++) {
        if (i)
            step_states(c, &w, 0, true);
        for (size_t k = 0; k < v->parts[i].text.n; k++)
            step_states(c, &w, (unsigned char)v->parts[i].text.p[k], false);
    }
    step_states(c, &w, '"', false);
}

/* False: the set is full, its cost over the limit therefore. */
static bool add_id(struct set *set, uint32_t id)
{
    uint32_t i = set->n;
    while (i && set->ids[i - 1] >= id) {
        if (set->ids[i - 1] == id)
            return true;
        i--;
    }
    if (set->n > COST_MAX)
        return false;
    memmove(set->ids + i + 1, set->ids + i, (set->n - i) * sizeof *set->ids);
    set->ids[i] = id;
    set->n++;
    return true;
}

/* The set after one more byte, together with the stars that need none. */
static bool advance(const struct cost *c, const struct set *from, unsigned char byte,
                    struct set *to, uint32_t *cost)
{
    to->n = 0;
    for (uint32_t i = 0; i < from->n; i++) {
        const struct state *state = &c->states[from->ids[i]];
        if (state->star && !add_id(to, from->ids[i]))
            return false;
        for (uint32_t id = state->child; id; id = c->states[id].sibling) {
            uint32_t star = c->states[id].star_child;
            if (c->states[id].byte == byte && (!add_id(to, id) || (star && !add_id(to, star))))
                return false;
        }
    }
    *cost = 0;
    for (uint32_t i = 0; i < to->n; i++)
        *cost += c->states[to->ids[i]].weight;
    return true;
}

static bool same_set(const struct set *a, const struct set *b)
{
    return a->n == b->n && memcmp(a->ids, b->ids, a->n * sizeof *a->ids) == 0;
}

/* False: one set too many. */
static bool remember(struct cost *c, const struct set *set)
{
    uint32_t hash = 2166136261u;
    for (uint32_t i = 0; i < set->n; i++)
        hash = (hash ^ set->ids[i]) * 16777619u;
    uint32_t slot = (hash ^ hash >> 16) % SLOTS;
    for (; c->slots[slot]; slot = (slot + 1) % SLOTS)
        if (same_set(&c->sets[c->slots[slot] - 1], set))
            return true;
    if (c->n_sets == SETS_MAX)
        return false;
    if (c->n_sets == c->cap_sets) {
        c->cap_sets = c->cap_sets ? 2 * c->cap_sets : 64;
        c->sets = mem_realloc(c->sets, c->cap_sets * sizeof *c->sets);
    }
    c->sets[c->n_sets++] = *set;
    c->slots[slot] = (uint16_t)c->n_sets;
    return true;
}

/* Every byte that leads from the set to somewhere; one that leads nowhere else gives no more. */
static bool follow(struct cost *c, struct set from)
{
    bool tried[256] = {false};
    for (uint32_t i = 0; i < from.n; i++)
        for (uint32_t id = c->states[from.ids[i]].child; id; id = c->states[id].sibling) {
            unsigned char byte = c->states[id].byte;
            struct set to;
            uint32_t cost;
            if (tried[byte])
                continue;
            tried[byte] = true;
            if (!advance(c, &from, byte, &to, &cost) || cost > COST_MAX || !remember(c, &to))
                return false;
        }
    return true;
}

static size_t states_of(const struct pattern_value *v)
{
    size_t n = 2 + v->n_parts;
    for (size_t i = 0; i < v->n_parts; i++)
        n += v->parts[i].text.n;
    return n;
}

/* The wildcards among a field's alternatives, each text once. */
struct alternatives {
    const struct pattern_value *values[COST_MAX];
    size_t n;
    size_t states; /* that they can need */
};

static bool is_known(const struct alternatives *all, const struct pattern_value *v)
{
    for (size_t i = 0; i < all->n; i++)
        if (v->kind == PATTERN_WILDCARD && all->values[i]->kind == PATTERN_WILDCARD &&
            slice_eq(v->text, all->values[i]->text))
            return true;
    return false;
}

/* Of an anything-but all parts are one alternative. False: too many, for all can still be reached
 * from the opening quote. */
static bool find_alternatives(struct alternatives *all, const struct pattern_field *f)
{
    for (size_t i = 0; i < f->n; i++) {
        const struct pattern_value *v = &f->values[i];
        bool but = v->kind == PATTERN_BUT && v->n_parts && v->parts->kind == PATTERN_WILDCARD;
        if ((v->kind != PATTERN_WILDCARD && !but) || is_known(all, v))
            continue;
        if (all->n == COST_MAX)
            return false;
        all->values[all->n++] = v;
        for (size_t k = 0; k < (but ? v->n_parts : 1); k++)
            all->states += states_of(but ? &v->parts[k] : v);
    }
    return true;
}

static void add_alternative(struct cost *c, const struct pattern_value *v, uint32_t number)
{
    if (v->kind == PATTERN_WILDCARD)
        add_wildcard(c, v, number);
    else
        for (size_t i = 0; i < v->n_parts; i++)
            add_wildcard(c, &v->parts[i], number);
}

bool pattern_cost_fits(const struct pattern_field *f)
{
    struct alternatives all = {.n = 0};
    struct cost c = {.n = 1};
    if (!find_alternatives(&all, f))
        return false;
    if (!all.n)
        return true;
    c.states = mem_alloc((all.states + 1) * sizeof *c.states);
    c.slots = mem_alloc(SLOTS * sizeof *c.slots);
    for (size_t i = 0; i < all.n; i++)
        add_alternative(&c, all.values[i], (uint32_t)i + 1);
    bool fits = remember(&c, &(struct set){.n = 1});
    for (uint32_t i = 0; fits && i < c.n_sets; i++)
        fits = follow(&c, c.sets[i]);
    free(c.states);
    free(c.slots);
    free(c.sets);
    return fits;
}
