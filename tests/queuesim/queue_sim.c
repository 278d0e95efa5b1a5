/* queue_sim.c - runs simulated worlds of queues: `queue_sim [--seeds N] [--from S]` many,
 * `queue_sim --seed S` one, told aloud. */
#include "base/log.h"
#include "tests/queuesim/queue_world.h"
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { STEPS_MOST = 400000, DRAIN_MOST_MS = 4000000 };

uint64_t require_seed;
static bool telling;

void require_tell(const char *fmt, ...)
{
    va_list args;
    if (!telling)
        return;
    printf("%" PRId64 " ", loop_now(world->loop));
    va_start(args, fmt);
    vprintf(fmt, args);
    va_end(args);
    printf("\n");
}

void require_failed(const char *what, const char *file, int line)
{
    fprintf(stderr, "seed %" PRIu64 " failed at step %lu, t=%" PRId64 " ms: %s:%d: %s\n",
            require_seed, world->steps, loop_now(world->loop), file, line, what);
    fprintf(stderr, "replay: build/dev/tests/queuesim/queue_sim --seed %" PRIu64 "\n",
            require_seed);
    exit(1);
}

static void run_steps(struct world *w, unsigned long n)
{
    for (; n > 0; n--) {
        REQUIRE(loop_step(w->loop));
        w->steps++;
        check_step(w);
    }
}

static void drain(struct world *w)
{
    world_drain(w);
    int64_t until = loop_now(w->loop) + DRAIN_MOST_MS;
    while (!world_empty(w)) {
        REQUIRE(loop_step(w->loop));
        w->steps++;
        check_step(w);
        REQUIRE(w->steps < STEPS_MOST && loop_now(w->loop) < until);
    }
}

static void run(struct world *w, uint64_t seed, bool aloud)
{
    world_build(w, seed);
    world_tell(w);
    world_start(w);
    unsigned long lives = 1 + below(3);
    for (unsigned long i = 0; i < lives; i++) {
        if (i > 0) {
            if (!w->clock_moved)
                world_crash(w);
            else
                break;
            world_start(w);
        }
        w->consuming = false;
        run_steps(w, 50 + below(900));
        w->consuming = chance(50); /* what nothing strict follows is lost with the power */
        run_steps(w, below(200));
    }
    drain(w);
    world_end(w);
    if (aloud)
        printf("seed %" PRIu64 ": %lu sends, %lu receives, %lu crashes, %lu power cuts that took "
               "%lu changes, %lu of them deletes, %lu steps, %" PRIu64 " commits, %" PRIu64
               " failed\n",
               seed, w->sends, w->receives, w->crashes, w->cuts, w->lost, w->backs, w->steps,
               w->disk.commits, w->disk.fails);
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
        telling = true;
        run(&w, one, true);
        return 0;
    }
    uint64_t n = number_after(argc, argv, "--seeds", 5000);
    uint64_t from = number_after(argc, argv, "--from", 1);
    unsigned long sends = 0, receives = 0, crashes = 0, cuts = 0, lost = 0, backs = 0, late = 0;
    double start = seconds();
    for (uint64_t seed = from; seed < from + n; seed++) {
        run(&w, seed, false);
        sends += w.sends;
        receives += w.receives;
        crashes += w.crashes;
        cuts += w.cuts;
        lost += w.lost;
        backs += w.backs;
        late += w.late;
    }
    double s = seconds() - start;
    printf(
        "%" PRIu64
        " seeds passed in %.2f s (%.0f seeds/s), %lu sends, %lu receives, %lu crashes, %lu of them "
        "power cuts, %lu changes lost, %lu of them deletes, %lu deleted all the same\n",
        n, s, (double)n / s, sends, receives, crashes, cuts, lost, backs, late);
    return n < 1000 || (lost > 0 && backs > 0 && late > 0) ? 0 : 1; /* else it has proven nothing */
}
