/* world.h - the simulated world around the engine: messages at their origins, functions with
 * faults, a graveyard, and what must be true of them at every step. One seed decides everything. */
#ifndef SIM_WORLD_H
#define SIM_WORLD_H

#include "engine/mapping.h"

enum { SHAPES = 4 }; /* of message bodies */
enum { MAX_MESSAGES = 160, MAX_KEYS = 6, MAX_ROUTES = 3, MAX_FUNCTIONS = 2, MAX_CALLS = 4096 };

/* Where a message is, as its origin sees it. */
enum at { AT_ORIGIN, AT_GATEWAY, AT_HIDDEN /* released, not yet visible */, AT_END, AT_DLQ };

struct world;
struct route;

struct message {
    struct route *route;
    enum at at;
    unsigned receives; /* times given to a gateway */
    unsigned runs;     /* times a function got it */
    unsigned good;     /* times a function handled it */
    unsigned buried;   /* times its failure record was committed */
    bool out;          /* in an invocation right now */
    bool answered;     /* answering sources: the client has its reply */
    unsigned filtered; /* times acknowledged because no filter wanted it */
    bool poison;       /* fails always */
    unsigned shape;    /* what filters look at */
    bool wanted;       /* by the filters of the gateway that has it */
    int64_t emitted_ms;
    struct timer again;
};

enum kind { KIND_QUEUE, KIND_FIFO, KIND_LOG, KIND_HTTP };

/* One origin with its mapping. */
struct route {
    struct source source; /* first: the engine's view */
    struct world *world;
    enum kind kind;
    struct mapping *mapping;
    struct message m[MAX_MESSAGES];
    size_t n, keys;
    size_t next[MAX_KEYS], committed[MAX_KEYS]; /* LOG: message index per key */
    unsigned max_receives;                      /* QUEUE, FIFO: redrive; 0: none */
    int64_t visibility_ms;
    unsigned sends_out;
    size_t max_records;
    unsigned wanted; /* shapes that reach the function, a bit each; all: no filter */
    const char *patterns[SHAPES];
    uint64_t filtered; /* by the gateway that runs */
    bool idle;
    bool splits;         /* the function refuses some batches for their size */
    struct task fetched; /* an answer of the origin arrives later, never inside pump */
    size_t fetching;
    char name[32];
};

struct call {
    struct timer t;
    struct world *w;
    struct sink_fn *fn;
    struct delivery *d;
    struct route *route;
    size_t ids[MAX_MESSAGES], n;
    bool used;
};

struct sink_fn {
    struct sink sink;
    struct world *world;
    struct function *function;
    struct function_settings settings;
    unsigned p_fail, p_throttle, p_timeout, p_lost, p_partial, p_malformed;
    size_t most; /* refuses larger batches, as a backend with a payload limit does */
    unsigned in_flight;
    int64_t latency_ms;
};

struct world {
    uint64_t rng, seed;
    struct env env;
    struct account account;
    struct sink_fn fn[MAX_FUNCTIONS], graveyard;
    size_t n_fn;
    struct route routes[MAX_ROUTES];
    size_t n_routes;
    struct call calls[MAX_CALLS];
    bool crashing; /* the gateway is dead: what its memory still does has no effect */
    bool drained, inside_send;
    unsigned p_grave;
    bool graveyard_on;
    unsigned long steps, sends, crashes;
};

extern struct world *world; /* the one that mapping_options.random draws from */
uint64_t world_random(void);
bool chance(unsigned percent);
uint64_t below(uint64_t n);

/* check(): prints seed, step and text, and exits 1. */
void world_fail(const char *text, const char *file, int line) __attribute__((noreturn));
#define REQUIRE(x) ((x) ? (void)0 : world_fail(#x, __FILE__, __LINE__))

void world_build(struct world *, uint64_t seed);
void world_start(struct world *); /* a gateway on top of the origins as they are */
void world_crash(struct world *); /* kill -9: the gateway is gone, the origins keep their truth */
void world_drain(struct world *);
void world_check(struct world *); /* invariants of every step */
void world_end(struct world *);   /* invariants of the end */
void world_free(struct world *);

/* origins.c */
void origin_choose_filter(struct route *); /* for the next gateway */
extern const struct source_ops sim_queue, sim_fifo, sim_log, sim_http;
void origin_reset(struct route *); /* after a crash: leases lapse, positions go back */
bool origin_finished(const struct route *);
/* functions.c */
extern const struct sink_ops sim_function, sim_graveyard;

#endif
