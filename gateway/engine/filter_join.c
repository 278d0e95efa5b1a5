/* filter_join.c - fields of a branch in the same elements of arrays: one walk from the outermost
 * array inwards, which leaps from element to element as a join of sorted lists does. */
#include "engine/filter_join.h"

#include "base/mem.h"

#include <stdlib.h>

enum { FIRST_PARTS = 64 };

enum verdict {
    NO,
    YES,
    UNSURE, /* to be searched */
};

void filter_join_free(struct filter_join *j)
{
    free(j->parts);
    free(j->chosen);
    free(j->trail);
}

void filter_join_push(struct filter_join *j, struct filter_part part)
{
    if (j->n_parts == j->cap_parts) {
        j->cap_parts = j->cap_parts ? 2 * j->cap_parts : FIRST_PARTS;
        j->parts = mem_realloc(j->parts, j->cap_parts * sizeof *j->parts);
    }
    j->parts[j->n_parts++] = part;
}

/* The first of the list from member on; FILTER_NONE: none before end. The walk goes forward only,
 * so that each list is passed once. */
static uint32_t seek(const uint32_t *list, uint32_t n, uint32_t *at, uint32_t member, uint32_t end)
{
    while (*at < n && list[*at] < member)
        ++*at;
    return *at < n && list[*at] < end ? list[*at] : FILTER_NONE;
}

static uint32_t seek_hit(struct filter_item *it, uint32_t member, uint32_t end)
{
    return seek(it->hits, it->n_hits, &it->hit_at, member, end);
}

static uint32_t seek_any(struct filter_item *it, uint32_t member, uint32_t end)
{
    return seek(it->any, it->n_any, &it->any_at, member, end);
}

/* The last of the list before end; list[at] is before end. */
static uint32_t last_before(const uint32_t *list, uint32_t n, uint32_t at, uint32_t end)
{
    uint32_t low = at, high = n;
    while (high - low > 1) {
        uint32_t mid = low + (high - low) / 2;
        if (list[mid] < end)
            low = mid;
        else
            high = mid;
    }
    return list[low];
}

/* The member directly beneath `around` that `inner` is, or stands in. */
static uint32_t child_of(const struct filter_join *j, uint32_t around, uint32_t inner)
{
    while (j->members[inner].parent != around)
        inner = j->members[inner].parent;
    return inner;
}

/* The array beneath `around` that list[at] stands in; FILTER_NONE: others of the list stand in
 * another. */
static uint32_t array_of(const struct filter_join *j, uint32_t around, const uint32_t *list,
                         uint32_t n, uint32_t at)
{
    uint32_t last = last_before(list, n, at, j->members[around].end);
    uint32_t array = j->members[child_of(j, around, list[at])].array;
    return j->members[child_of(j, around, last)].array == array ? array : FILTER_NONE;
}

/* Has a field before chosen an element of the array? Then absence beneath it depends on which. The
 * first part of an array is always one that must be there. */
static bool is_chosen(const struct filter_join *j, uint32_t from, uint32_t array)
{
    for (uint32_t i = j->n_parts; i-- > from;)
        if (j->parts[i].array == array)
            return true;
    return false;
}

/* Is there a field after part i whose absence may depend on what is chosen? */
static bool absence_follows(const struct filter_join *j, uint32_t i, uint32_t end)
{
    for (i++; i < end; i++)
        if (j->parts[i].wish != FILTER_MUST)
            return true;
    return false;
}

/* A value must be found in member: YES when it is, or the part is pushed for the array it is in. */
static enum verdict place_must(struct filter_join *j, uint32_t member, uint32_t i, uint32_t end)
{
    struct filter_item *it = &j->items[j->parts[i].item];
    uint32_t last = j->members[member].end, hit = seek_hit(it, member, last);
    if (hit == FILTER_NONE)
        return NO;
    if (hit == member) {
        bool deeper = it->hit_at + 1 < it->n_hits && it->hits[it->hit_at + 1] < last;
        return deeper && absence_follows(j, i, end) ? UNSURE : YES;
    }
    uint32_t array = array_of(j, member, it->hits, it->n_hits, it->hit_at);
    if (array == FILTER_NONE)
        return UNSURE;
    filter_join_push(j, (struct filter_part){j->parts[i].item, array, FILTER_MUST});
    return YES;
}

/* The same for a field that may be absent. */
static enum verdict place_absent(struct filter_join *j, uint32_t member, uint32_t i, uint32_t end)
{
    struct filter_part part = j->parts[i];
    struct filter_item *it = &j->items[part.item];
    uint32_t leaf = seek_any(it, member, j->members[member].end);
    if (leaf == FILTER_NONE)
        return YES;
    if (leaf != member) {
        part.array = array_of(j, member, it->any, it->n_any, it->any_at);
        if (part.array == FILTER_NONE)
            return UNSURE;
        if (is_chosen(j, end, part.array)) {
            filter_join_push(j, part);
            return YES;
        }
    }
    /* What stands here is consistent with all that is chosen. */
    return part.wish == FILTER_EITHER ? place_must(j, member, i, end) : NO;
}

static bool join_member(struct filter_join *, uint32_t member, uint32_t begin, uint32_t end);

/* A member of the array, from `from` on: before it there is none in which every value of the parts
 * occurs. */
static uint32_t leap(struct filter_join *j, uint32_t around, uint32_t begin, uint32_t end,
                     uint32_t from)
{
    uint32_t last = j->members[around].end;
    for (uint32_t i = begin; i < end; i++) {
        if (j->parts[i].wish != FILTER_MUST)
            continue;
        uint32_t hit = seek_hit(&j->items[j->parts[i].item], from, last);
        if (hit == FILTER_NONE)
            return FILTER_NONE;
        from = child_of(j, around, hit);
    }
    return from;
}

/* Parts begin to end all stand in one array beneath around: is there an element for all of them? */
static bool join_array(struct filter_join *j, uint32_t around, uint32_t begin, uint32_t end)
{
    uint32_t from = around + 1, member;
    while ((member = leap(j, around, begin, end, from)) != FILTER_NONE) {
        if (join_member(j, member, begin, end))
            return true;
        from = j->members[member].end;
    }
    return false;
}

/* Arrays beneath one member are independent of each other: each is joined alone. */
static bool join_arrays(struct filter_join *j, uint32_t member, uint32_t from, uint32_t to)
{
    bool met = true;
    for (uint32_t i = from; i < to && met; i++) {
        uint32_t array = j->parts[i].array, begin = j->n_parts;
        if (array == FILTER_NONE)
            continue;
        for (uint32_t k = i; k < to; k++) {
            if (j->parts[k].array != array)
                continue;
            filter_join_push(j, j->parts[k]);
            j->parts[k].array = FILTER_NONE;
        }
        met = join_array(j, member, begin, j->n_parts);
        j->n_parts = begin;
    }
    return met;
}

/* Can parts begin to end, which are the last on the stack, be met in member? */
static bool join_member(struct filter_join *j, uint32_t member, uint32_t begin, uint32_t end)
{
    enum verdict verdict = YES;
    for (uint32_t i = begin; i < end && verdict == YES; i++)
        verdict = j->parts[i].wish == FILTER_MUST ? place_must(j, member, i, end)
                                                  : place_absent(j, member, i, end);
    bool met = verdict == YES && join_arrays(j, member, end, j->n_parts);
    j->n_parts = end;
    return met || (verdict == UNSURE && filter_join_search(j, member, begin, end));
}

bool filter_join(struct filter_join *j)
{
    j->n_parts = 0;
    for (uint32_t i = 0; i < j->n_items; i++)
        filter_join_push(j, (struct filter_part){i, FILTER_NONE, j->items[i].wish});
    return join_member(j, 0, 0, j->n_parts);
}
