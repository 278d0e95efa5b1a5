/* filter_state.c - answers about the event at hand: which leaves a test finds, whether a branch
 * matches. */
#include "engine/filter_state.h"

#include "base/mem.h"
#include "engine/filter_value.h"

#include <stdlib.h>

enum { FIRST_POOL = 256, KEPT_POOL = 16 * 1024, KEPT_ARRAYS = 16 * 1024 };

void filter_state_forget(struct filter *f)
{
    f->n_pool = 0;
    if (++f->round != 0)
        return;
    /* After 2^32 rounds an old answer could look new. */
    for (uint32_t i = 0; i < f->plan.n_tests; i++)
        f->answers[i].round = 0;
    for (uint32_t i = 0; i < f->plan.tree.n_paths; i++)
        f->anys[i].round = 0;
    f->round = 1;
}

void filter_state_shrink(struct filter *f)
{
    if (f->cap_pool > KEPT_POOL && f->n_pool <= f->cap_pool / 8) {
        free(f->pool);
        f->pool = NULL;
        f->cap_pool = 0;
    }
    if (f->join.cap_chosen > KEPT_ARRAYS) {
        filter_join_free(&f->join);
        f->join = (struct filter_join){0};
    }
}

size_t filter_state_bytes(const struct filter *f)
{
    return filter_event_bytes(&f->event) + f->cap_pool * sizeof *f->pool +
           (f->join.cap_chosen + f->join.cap_trail) * sizeof *f->join.chosen;
}

static void add(struct filter *f, struct filter_answer *answer, uint32_t member)
{
    if (answer->n && f->pool[answer->at + answer->n - 1] == member)
        return;
    if (f->n_pool == f->cap_pool) {
        f->cap_pool = f->cap_pool ? 2 * f->cap_pool : FIRST_POOL;
        f->pool = mem_realloc(f->pool, f->cap_pool * sizeof *f->pool);
    }
    f->pool[f->n_pool++] = member;
    answer->n++;
}

static int by_number(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* A value beside an array, or behind it, comes later than what is inside of the array. */
static void sort(struct filter *f, struct filter_answer *answer)
{
    if (answer->n < 2)
        return;
    uint32_t *list = f->pool + answer->at, n = 1;
    bool sorted = true;
    for (uint32_t i = 1; i < answer->n; i++)
        sorted &= list[i - 1] < list[i];
    if (sorted)
        return;
    qsort(list, answer->n, sizeof *list, by_number);
    for (uint32_t i = 1; i < answer->n; i++)
        if (list[i] != list[n - 1])
            list[n++] = list[i];
    answer->n = n;
    f->n_pool = answer->at + n;
}

static const struct filter_answer *ask(struct filter *f, uint32_t number)
{
    const struct filter_test *test = &f->plan.tests[number];
    struct filter_answer *answer = &f->answers[number];
    if (answer->round == f->round)
        return answer;
    *answer = (struct filter_answer){.round = f->round, .at = f->n_pool};
    for (uint32_t i = f->event.paths[test->path].first; i != FILTER_NONE;
         i = f->event.leaves[i].next) {
        struct filter_view view = filter_value_view(&f->event, i);
        if (!filter_value_any(test->field, &view))
            continue;
        uint32_t member = f->event.leaves[i].member;
        if (member == 0 && !test->whole) {
            /* It restricts nothing: no other choice could be better. */
            f->n_pool = answer->at;
            answer->n = 0;
            add(f, answer, 0);
            break;
        }
        add(f, answer, member);
    }
    sort(f, answer);
    return answer;
}

/* Answers of other branches are kept only as long as they are few. */
static void trim(struct filter *f)
{
    if (f->n_pool > KEPT_POOL + (uint64_t)4 * f->event.n_leaves)
        filter_state_forget(f);
}

bool filter_state_finds(struct filter *f, uint32_t test)
{
    trim(f);
    return ask(f, test)->n > 0;
}

/* All members in which the path has leaves. */
static const struct filter_answer *ask_any(struct filter *f, uint32_t path)
{
    struct filter_answer *answer = &f->anys[path];
    if (answer->round == f->round)
        return answer;
    *answer = (struct filter_answer){.round = f->round, .at = f->n_pool};
    for (uint32_t i = f->event.paths[path].first; i != FILTER_NONE; i = f->event.leaves[i].next)
        add(f, answer, f->event.leaves[i].member);
    sort(f, answer);
    return answer;
}

/* Absence of a path that has leaves is possible only where they stand in arrays. */
static bool may_be_absent(struct filter *f, const struct filter_test *test)
{
    if (!test->absent || !f->event.paths[test->path].inside)
        return false;
    ask_any(f, test->path);
    return true;
}

bool filter_state_alone(struct filter *f, uint32_t number)
{
    const struct filter_test *test = &f->plan.tests[number];
    if (f->event.paths[test->path].n == 0)
        return test->absent;
    return (test->value && ask(f, number)->n) || may_be_absent(f, test);
}

/* The field as the join wants it; lists are numbers into the pool until the pool stands still. */
static bool add_item(struct filter *f, uint32_t number, bool absences, uint32_t *n)
{
    const struct filter_test *test = &f->plan.tests[number];
    if (f->event.paths[test->path].n == 0)
        return test->absent;
    const struct filter_answer *hits = test->value ? ask(f, number) : NULL;
    bool found = hits && hits->n, maybe = may_be_absent(f, test);
    if (!found && !maybe)
        return false;
    if (found && f->pool[hits->at] == 0 && (hits->n == 1 || !absences))
        return true;
    f->items[(*n)++] = (struct filter_item){
        .wish = !maybe  ? FILTER_MUST
                : found ? FILTER_EITHER
                        : FILTER_ABSENT,
        .n_hits = found ? hits->n : 0,
        .hit_at = found ? hits->at : 0,
        .n_any = maybe ? f->anys[test->path].n : 0,
        .any_at = maybe ? f->anys[test->path].at : 0,
    };
    return true;
}

static bool join(struct filter *f, uint32_t n)
{
    struct filter_join *j = &f->join;
    for (uint32_t i = 0; i < n; i++) {
        struct filter_item *it = &f->items[i];
        it->hits = f->pool + it->hit_at;
        it->any = f->pool + it->any_at;
        it->hit_at = it->any_at = 0;
    }
    j->members = f->event.members;
    j->n_arrays = f->event.n_arrays;
    j->items = f->items;
    j->n_items = n;
    return filter_join(j);
}

bool filter_state_branch(struct filter *f, const struct filter_branch *branch)
{
    uint32_t n = 0;
    const uint32_t *asked = f->plan.asked + branch->first;
    trim(f);
    for (uint32_t i = 0; i < branch->n; i++)
        if (!add_item(f, asked[i], branch->absences, &n))
            return false;
    if (n == 0 || (n == 1 && f->items[0].wish == FILTER_MUST))
        return true;
    return join(f, n);
}
