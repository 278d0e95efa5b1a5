/* map.c - hash table from string to pointer: linear probing, SipHash-1-3 with a seed of its own. */
#include "base/map.h"

#include "base/mem.h"
#include "base/rand.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* key NULL: free, or deleted when the hash is not 0. */
struct map_entry {
    uint64_t hash;
    char *key;
    size_t key_n;
    void *value;
};

enum { FIRST_SLOTS = 8 };

static uint64_t seed[2];
static pthread_once_t seeded = PTHREAD_ONCE_INIT;

static void make_seed(void)
{
    rand_bytes(seed, sizeof seed);
}

static uint64_t rotl(uint64_t x, unsigned n)
{
    return x << n | x >> (64 - n);
}

static void sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[1] = rotl(v[1], 13) ^ v[0];
    v[0] = rotl(v[0], 32);
    v[2] += v[3];
    v[3] = rotl(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = rotl(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = rotl(v[1], 17) ^ v[2];
    v[2] = rotl(v[2], 32);
}

static uint64_t hash_of(struct slice key)
{
    uint64_t v[4] = {seed[0] ^ 0x736f6d6570736575u, seed[1] ^ 0x646f72616e646f6du,
                     seed[0] ^ 0x6c7967656e657261u, seed[1] ^ 0x7465646279746573u};
    size_t i = 0;
    for (; key.n - i >= 8; i += 8) {
        uint64_t word;
        memcpy(&word, key.p + i, 8);
        v[3] ^= word;
        sip_round(v);
        v[0] ^= word;
    }
    uint64_t tail = 0;
    if (i < key.n)
        memcpy(&tail, key.p + i, key.n - i);
    tail |= (uint64_t)key.n << 56;
    v[3] ^= tail;
    sip_round(v);
    v[0] ^= tail;
    v[2] ^= 0xff;
    for (int round = 0; round < 3; round++)
        sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

void map_init(struct map *m)
{
    *m = (struct map){0};
}

void map_free(struct map *m)
{
    for (size_t i = 0; i < m->cap; i++)
        free(m->slots[i].key);
    free(m->slots);
    map_init(m);
}

/* The slot that holds key, or NULL. There is always a free slot, which ends the walk. */
static struct map_entry *find(const struct map *m, struct slice key, uint64_t hash)
{
    for (size_t i = hash & (m->cap - 1);; i = (i + 1) & (m->cap - 1)) {
        struct map_entry *e = &m->slots[i];
        if (e->key) {
            if (e->hash == hash && slice_eq((struct slice){e->key, e->key_n}, key))
                return e;
        } else if (e->hash == 0) {
            return NULL;
        }
    }
}

static struct map_entry *vacant(const struct map *m, uint64_t hash)
{
    size_t i = hash & (m->cap - 1);
    while (m->slots[i].key)
        i = (i + 1) & (m->cap - 1);
    return &m->slots[i];
}

/* Sizes by what is alive, so that it also sweeps the deleted and shrinks. */
static void rebuild(struct map *m)
{
    struct map old = *m;
    size_t cap = FIRST_SLOTS;
    while (cap / 2 <= old.n)
        cap *= 2;
    m->slots = mem_alloc(cap * sizeof *m->slots);
    m->cap = cap;
    m->used = old.n;
    for (size_t i = 0; i < old.cap; i++)
        if (old.slots[i].key)
            *vacant(m, old.slots[i].hash) = old.slots[i];
    free(old.slots);
}

void *map_get(const struct map *m, struct slice key)
{
    if (m->n == 0)
        return NULL;
    const struct map_entry *e = find(m, key, hash_of(key));
    return e ? e->value : NULL;
}

void *map_set(struct map *m, struct slice key, void *value)
{
    if (m->cap == 0)
        pthread_once(&seeded, make_seed);
    if (m->used + 1 > m->cap / 4 * 3)
        rebuild(m);
    uint64_t hash = hash_of(key);
    struct map_entry *e = find(m, key, hash);
    if (e) {
        void *before = e->value;
        e->value = value;
        return before;
    }
    e = vacant(m, hash);
    m->used += e->hash == 0;
    m->n++;
    *e = (struct map_entry){.hash = hash, .key = slice_dup(key), .key_n = key.n, .value = value};
    return NULL;
}

void *map_del(struct map *m, struct slice key)
{
    if (m->n == 0)
        return NULL;
    struct map_entry *e = find(m, key, hash_of(key));
    if (!e)
        return NULL;
    void *before = e->value;
    free(e->key);
    *e = (struct map_entry){.hash = 1};
    m->n--;
    /* Deleted slots that no walk has to cross become free again. */
    size_t mask = m->cap - 1, i = (size_t)(e - m->slots);
    const struct map_entry *after = &m->slots[(i + 1) & mask];
    if (after->key || after->hash)
        return before;
    for (; !m->slots[i].key && m->slots[i].hash; i = (i - 1) & mask) {
        m->slots[i].hash = 0;
        m->used--;
    }
    return before;
}

bool map_next(const struct map *m, size_t *at, struct slice *key, void **value)
{
    while (*at < m->cap) {
        const struct map_entry *e = &m->slots[(*at)++];
        if (!e->key)
            continue;
        *key = (struct slice){e->key, e->key_n};
        *value = e->value;
        return true;
    }
    return false;
}
