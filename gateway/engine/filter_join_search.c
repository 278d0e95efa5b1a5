/* filter_join_search.c - the few joins that need trying: fields in their order, each with every
 * leaf that is consistent with those before. */
#include "engine/filter_join.h"

#include "base/mem.h"

/* What is being searched; absences: some field of it may be absent. */
struct search {
    struct filter_join *join;
    uint32_t member, end; /* of the members */
    uint32_t part_end;
    bool absences;
};

/* Every array's entry is FILTER_NONE between two searches. */
static void make_room(struct filter_join *j)
{
    if (j->n_arrays > j->cap_chosen) {
        j->chosen = mem_realloc(j->chosen, j->n_arrays * sizeof *j->chosen);
        for (uint32_t i = j->cap_chosen; i < j->n_arrays; i++)
            j->chosen[i] = FILTER_NONE;
        j->cap_chosen = j->n_arrays;
    }
    /* No array is twice on the trail. */
    if (j->n_arrays > j->cap_trail) {
        j->trail = mem_realloc(j->trail, j->n_arrays * sizeof *j->trail);
        j->cap_trail = j->n_arrays;
    }
}

static bool consistent(const struct search *s, uint32_t at)
{
    const struct filter_join *j = s->join;
    for (; at != s->member; at = j->members[at].parent) {
        uint32_t chosen = j->chosen[j->members[at].array];
        if (chosen != FILTER_NONE && chosen != at)
            return false;
    }
    return true;
}

static void choose(const struct search *s, uint32_t at)
{
    struct filter_join *j = s->join;
    for (; at != s->member; at = j->members[at].parent) {
        uint32_t array = j->members[at].array;
        if (j->chosen[array] != FILTER_NONE)
            continue;
        j->chosen[array] = at;
        j->trail[j->n_trail++] = array;
    }
}

static void undo(struct filter_join *j, uint32_t n_trail)
{
    while (j->n_trail > n_trail)
        j->chosen[j->trail[--j->n_trail]] = FILTER_NONE;
}

static bool some_consistent(const struct search *s, const struct filter_item *it)
{
    struct filter_join *j = s->join;
    for (uint32_t i = it->any_at; i < it->n_any && it->any[i] < s->end && j->budget; i++) {
        j->budget--;
        if (it->any[i] >= s->member && consistent(s, it->any[i]))
            return true;
    }
    return j->budget == 0;
}

static bool try_part(const struct search *s, uint32_t part)
{
    struct filter_join *j = s->join;
    if (part == s->part_end)
        return true;
    const struct filter_item *it = &j->items[j->parts[part].item];
    enum filter_wish wish = j->parts[part].wish;
    if (wish != FILTER_MUST && !some_consistent(s, it))
        return try_part(s, part + 1);
    if (wish == FILTER_ABSENT)
        return false;
    for (uint32_t i = it->hit_at; i < it->n_hits && it->hits[i] < s->end && j->budget; i++) {
        j->budget--;
        if (it->hits[i] < s->member || !consistent(s, it->hits[i]))
            continue;
        uint32_t n_trail = j->n_trail;
        choose(s, it->hits[i]);
        bool more = j->n_trail > n_trail, met = try_part(s, part + 1);
        undo(j, n_trail);
        /* What restricts nothing cannot be bettered, unless absence gains by restrictions. */
        if (met || (!more && !s->absences))
            return met;
    }
    return false;
}

bool filter_join_search(struct filter_join *j, uint32_t member, uint32_t begin, uint32_t end)
{
    struct search s = {j, member, j->members[member].end, end, false};
    for (uint32_t i = begin; i < end; i++)
        s.absences |= j->parts[i].wish != FILTER_MUST;
    make_room(j);
    return try_part(&s, begin);
}
