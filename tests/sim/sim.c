/* sim.c - runs worlds: `sim [--seeds N] [--from S]` many, `sim --seed S` one, told aloud. */
#include "base/log.h"
#include "tests/sim/world.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { STEPS_MOST = 2000000 };

static void run(struct world *w, uint64_t seed, bool aloud)
{
    world_build(w, seed);
    world_start(w);
    unsigned long crash_at = chance(30) ? below(600) : ~0ul;
    unsigned long drain_at = chance(30) ? below(600) : ~0ul;
    for (;;) {
        while (loop_step(w->env.loop)) {
            world_check(w);
            if (w->steps == crash_at || w->steps == drain_at)
                break;
            w->steps++;
            REQUIRE(w->steps < STEPS_MOST);
        }
        if (w->steps == crash_at)
            world_crash(w);
        else if (w->steps == drain_at)
            world_drain(w);
        else
            break;
        crash_at = w->steps == crash_at && chance(50) ? w->steps + below(300) + 1 : ~0ul;
        w->steps++;
        world_start(w);
    }
    world_end(w);
    if (aloud)
        printf("seed %" PRIu64 ": %zu routes, %zu functions, %lu invocations, %lu steps, "
               "%lu crashes, drained %d, %" PRId64 " ms\n",
               seed, w->n_routes, w->n_fn, w->sends, w->steps, w->crashes, w->drained,
               loop_now(w->env.loop));
    world_free(w);
}

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static uint64_t number_after(int argc, char **argv, const char *flag, uint64_t dflt)
{
    for (int i = 1; i + 1 < argc; i++)
        if (strcmp(argv[i], flag) == 0)
            return strtoull(argv[i + 1], NULL, 10);
    return dflt;
}

int main(int argc, char **argv)
{
    static struct world w;
    uint64_t one = number_after(argc, argv, "--seed", 0);
    log_setup(one > 0 ? LOG_DEBUG : LOG_ERROR + 1, LOG_LOGFMT);
    if (one > 0) {
        run(&w, one, true);
        return 0;
    }
    uint64_t n = number_after(argc, argv, "--seeds", 1000);
    uint64_t from = number_after(argc, argv, "--from", 1);
    unsigned long sends = 0, crashes = 0;
    double start = seconds();
    for (uint64_t seed = from; seed < from + n; seed++) {
        run(&w, seed, false);
        sends += w.sends;
        crashes += w.crashes;
    }
    double s = seconds() - start;
    printf("%" PRIu64 " seeds passed in %.2f s (%.0f seeds/s), %lu invocations, %lu crashes\n", n,
           s, (double)n / s, sends, crashes);
    return 0;
}
