/* queue_entry.h - what is known of one message that is more than a place in a range: delayed, in
 * flight, received before. A pool of them, a table by sequence, a heap by time. */
#ifndef ENGINE_QUEUE_ENTRY_H
#define ENGINE_QUEUE_ENTRY_H

#include "base/list.h"

struct queue_group;

/* What the heap orders: an entry, or a group whose first message is delayed. */
struct queue_due {
    int64_t due_ms; /* loop_now at which it is its turn */
    uint32_t pos;   /* in the heap, from 1; 0: not there */
    bool is_group;
};

enum queue_entry_state {
    QUEUE_ENTRY_VISIBLE,
    QUEUE_ENTRY_TAKING,  /* being received: counts as in flight */
    QUEUE_ENTRY_FLIGHT,  /* hidden until due */
    QUEUE_ENTRY_DELAYED, /* never received, hidden until due */
    QUEUE_ENTRY_HELD,    /* could not be moved to its dead-letter queue: again when due */
    QUEUE_ENTRY_STATES
};

struct queue_entry {
    struct queue_due due;
    uint64_t seq : 40;
    uint64_t state : 3;
    uint64_t busy : 18;   /* operations of the spool under way; never in a structure meanwhile */
    uint64_t gone : 1;    /* not in the table any more: freed by the last operation */
    uint64_t touched : 1; /* its visibility was changed since the receive */
    uint64_t placed : 1;  /* VISIBLE: linked where the next receive looks */
    int64_t born_ms;      /* loop time; negative for those of an earlier run */
    int64_t first_ms;     /* unix ms; 0: never received */
    uint32_t takes, bytes;
    struct queue_group *group; /* FIFO */
    union {
        struct list node; /* VISIBLE; the pool's free list */
        uint64_t taken_s; /* FLIGHT: loop time of the receive, rounded up */
    };
};

struct queue_pool {
    struct list free, blocks;
};
void queue_pool_init(struct queue_pool *);
void queue_pool_free(struct queue_pool *);
struct queue_entry *queue_pool_get(struct queue_pool *); /* zeroed */
void queue_pool_put(struct queue_pool *, struct queue_entry *);

/* Open addressing by seq; zeroed = empty. */
struct queue_table {
    struct queue_entry **slots;
    size_t n, cap;
};
void queue_table_free(struct queue_table *);
struct queue_entry *queue_table_get(const struct queue_table *, uint64_t seq);
void queue_table_put(struct queue_table *, struct queue_entry *);
void queue_table_remove(struct queue_table *, struct queue_entry *);

/* Smallest due_ms first; zeroed = empty. */
struct queue_heap {
    struct queue_due **v;
    uint32_t n, cap;
};
void queue_heap_free(struct queue_heap *);
void queue_heap_push(struct queue_heap *, struct queue_due *);
void queue_heap_remove(struct queue_heap *, struct queue_due *); /* harmless when not there */
struct queue_due *queue_heap_top(const struct queue_heap *);     /* NULL: empty */

#endif
