/* filter_index.c - asks the index: which tests may a value meet? */
#include "engine/filter_index.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- hashes */

uint64_t filter_index_seed(uint32_t path, enum filter_tag tag)
{
    return ((uint64_t)path << 2 | (uint64_t)tag) * 0x9E3779B97F4A7C15u ^ 0xCBF29CE484222325u;
}

uint64_t filter_index_byte(uint64_t hash, char c)
{
    return (hash ^ (unsigned char)c) * 0x100000001B3u;
}

uint64_t filter_index_exact(uint32_t path, enum filter_kind kind, struct slice text, double number)
{
    uint64_t seed = filter_index_seed(path, FILTER_TAG_EXACT) + (uint64_t)kind;
    char bytes[sizeof number];
    if (kind == FILTER_NUMBER && !isnan(number)) {
        number += 0.0; /* -0 becomes 0 */
        memcpy(bytes, &number, sizeof bytes);
        text = (struct slice){bytes, sizeof bytes};
    } else if (kind != FILTER_STRING && kind != FILTER_NUMBER) {
        text = SLICE_NONE;
    }
    return filter_tree_hash(text, seed);
}

uint64_t filter_index_folded(uint32_t path, struct slice text)
{
    uint64_t hash = filter_index_seed(path, FILTER_TAG_FOLDED);
    char folded[8];
    for (size_t i = 0, n; i < text.n; i += n) {
        n = 1;
        if ((unsigned char)text.p[i] >= 0x80)
            while (n < 4 && i + n < text.n && ((unsigned char)text.p[i + n] & 0xC0) == 0x80)
                n++;
        size_t n_folded = pattern_fold((struct slice){text.p + i, n}, folded);
        for (size_t k = 0; k < n_folded; k++)
            hash = filter_index_byte(hash, folded[k]);
    }
    return hash;
}

const struct filter_key *filter_index_find(const struct filter_index *ix, uint64_t hash)
{
    for (uint32_t i = (uint32_t)(hash >> 32 ^ hash);; i++) {
        uint32_t key = ix->slots[i & ix->mask];
        if (key == FILTER_NONE)
            return NULL;
        if (ix->keys[key].hash == hash)
            return &ix->keys[key];
    }
}

/* ---- one value */

void filter_index_begin(struct filter_index *ix)
{
    ix->n_found = 0;
    if (++ix->event != 0)
        return;
    /* After 2^32 events an old mark could look new. */
    memset(ix->seen, 0, ix->n_tests * sizeof *ix->seen);
    ix->event = 1;
}

static inline void found(struct filter_index *ix, uint32_t test)
{
    if (ix->seen[test] == ix->event)
        return;
    ix->seen[test] = ix->event;
    ix->found[ix->n_found++] = test;
}

static inline void probe(struct filter_index *ix, uint64_t hash)
{
    const struct filter_key *key = filter_index_find(ix, hash), *end = ix->keys + ix->n_keys;
    for (; key && key < end && key->hash == hash; key++)
        found(ix, key->test);
}

static void probe_heads(struct filter_index *ix, uint32_t path, struct slice s)
{
    const struct filter_shelf *shelf = &ix->shelves[path];
    uint64_t hash = filter_index_seed(path, FILTER_TAG_HEAD);
    size_t at = 0;
    for (uint32_t i = 0; i < shelf->n_heads && shelf->heads[i] <= s.n; i++) {
        for (; at < shelf->heads[i]; at++)
            hash = filter_index_byte(hash, s.p[at]);
        probe(ix, hash);
    }
}

static void probe_tails(struct filter_index *ix, uint32_t path, struct slice s)
{
    const struct filter_shelf *shelf = &ix->shelves[path];
    uint64_t hash = filter_index_seed(path, FILTER_TAG_TAIL);
    size_t at = 0;
    for (uint32_t i = 0; i < shelf->n_tails && shelf->tails[i] <= s.n; i++) {
        for (; at < shelf->tails[i]; at++)
            hash = filter_index_byte(hash, s.p[s.n - 1 - at]);
        probe(ix, hash);
    }
}

/* The ranges of from to end that x is in, whose bounds may be open or not. */
static void probe_ranges(struct filter_index *ix, const struct filter_range *ranges, uint32_t from,
                         uint32_t end, double x)
{
    while (from < end) {
        uint32_t mid = from + (end - from) / 2;
        if (ranges[mid].highest < x)
            return;
        if (ranges[mid].low > x) {
            end = mid;
            continue;
        }
        probe_ranges(ix, ranges, from, mid, x);
        if (ranges[mid].high >= x)
            found(ix, ranges[mid].test);
        from = mid + 1;
    }
}

void filter_index_probe(struct filter_index *ix, uint32_t path, const struct filter_view *view)
{
    const struct filter_shelf *shelf = &ix->shelves[path];
    if (shelf->values)
        probe(ix, filter_index_exact(path, view->kind, view->text, view->number));
    if (view->kind == FILTER_NUMBER && !isnan(view->number))
        probe_ranges(ix, shelf->ranges, 0, shelf->n_ranges, view->number);
    if (view->kind != FILTER_STRING)
        return;
    if (shelf->folds)
        probe(ix, filter_index_folded(path, view->text));
    probe_heads(ix, path, view->text);
    probe_tails(ix, path, view->text);
}
