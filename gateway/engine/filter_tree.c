/* filter_tree.c - the tree of the names that patterns ask for. */
#include "engine/filter_tree.h"

#include <string.h>

enum { FIRST_SLOTS = 4, LONG_NAME = 63 };

void filter_tree_init(struct filter_tree *t)
{
    *t = (struct filter_tree){.root.path = FILTER_NONE};
    arena_init(&t->arena);
}

void filter_tree_free(struct filter_tree *t)
{
    arena_free(&t->arena);
}

static inline uint64_t mix(uint64_t h, uint64_t word)
{
    __extension__ typedef unsigned __int128 wide;
    wide product = (wide)(h ^ word) * 0x9E3779B97F4A7C15u;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

uint64_t filter_tree_hash(struct slice s, uint64_t seed)
{
    uint64_t h = mix(seed ^ 0xD6E8FEB86659FD93u, s.n), word;
    size_t i = 0;
    for (; s.n - i >= 8; i += 8) {
        memcpy(&word, s.p + i, 8);
        h = mix(h, word);
    }
    word = 0;
    for (; i < s.n; i++)
        word = word << 8 | (unsigned char)s.p[i];
    return mix(h, word);
}

static inline uint64_t length_bit(size_t n)
{
    return (uint64_t)1 << (n < LONG_NAME ? n : LONG_NAME);
}

static inline bool same(struct slice a, struct slice b)
{
    return a.n == b.n && memcmp(a.p, b.p, a.n) == 0;
}

static struct filter_node *child_of(const struct filter_node *node, struct slice name)
{
    if (!(node->lengths & length_bit(name.n)))
        return NULL;
    for (uint32_t i = (uint32_t)filter_tree_hash(name, 0);; i++) {
        struct filter_node *child = node->slots[i & node->mask];
        if (!child || same(child->name, name))
            return child;
    }
}

static void place(struct filter_node *node, struct filter_node *child)
{
    uint32_t i = (uint32_t)filter_tree_hash(child->name, 0);
    while (node->slots[i & node->mask])
        i++;
    node->slots[i & node->mask] = child;
}

/* Twice the slots; the old ones stay in the arena, which holds no more than that again. */
static void widen(struct filter_tree *t, struct filter_node *node)
{
    struct filter_node **old = node->slots;
    uint32_t n_old = old ? node->mask + 1 : 0, n = n_old ? 2 * n_old : FIRST_SLOTS;
    node->slots = arena_alloc(&t->arena, n * sizeof(struct filter_node *));
    node->mask = n - 1;
    for (uint32_t i = 0; i < n_old; i++)
        if (old[i])
            place(node, old[i]);
}

static struct filter_node *child_made(struct filter_tree *t, struct filter_node *node,
                                      struct slice name)
{
    struct filter_node *child = child_of(node, name);
    if (child)
        return child;
    if (!node->slots || node->n + 1 > (node->mask + 1) / 2)
        widen(t, node);
    child = arena_alloc(&t->arena, sizeof *child);
    child->name = name;
    child->path = FILTER_NONE;
    place(node, child);
    node->n++;
    node->lengths |= length_bit(name.n);
    return child;
}

/* How many bytes stand before the first dot; all when there is none. */
static size_t first_step(struct slice path)
{
    const char *dot = path.n ? memchr(path.p, '.', path.n) : NULL;
    return dot ? (size_t)(dot - path.p) : path.n;
}

uint32_t filter_tree_add(struct filter_tree *t, struct slice path)
{
    struct filter_node *node = &t->root;
    for (;;) {
        size_t n = first_step(path);
        struct filter_node *child = child_made(t, node, (struct slice){path.p, n});
        if (n == path.n) {
            if (child->path == FILTER_NONE)
                child->path = t->n_paths++;
            return child->path;
        }
        node->stems |= length_bit(n);
        node = child;
        path = (struct slice){path.p + n + 1, path.n - n - 1};
    }
}

/* The length of the first step of a name with dots, when a child with children may have it; else
 * name.n. Looks only where such a child's name would end. */
static size_t stem_of(const struct filter_node *node, struct slice name)
{
    for (uint64_t stems = node->stems; stems; stems &= stems - 1) {
        size_t n = (size_t)__builtin_ctzll(stems);
        if (n == LONG_NAME)
            n = first_step(name);
        if (n < name.n && name.p[n] == '.')
            return n;
    }
    return name.n;
}

const struct filter_node *filter_tree_find(const struct filter_node *node, struct slice name)
{
    const struct filter_node *child = child_of(node, name);
    while (!child) {
        size_t n = stem_of(node, name);
        if (n == name.n)
            return NULL;
        node = child_of(node, (struct slice){name.p, n});
        if (!node)
            return NULL;
        name = slice_from(name, n + 1);
        child = child_of(node, name);
    }
    return child;
}
