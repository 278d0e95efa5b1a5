/* clockstep.c - preloaded into the gateway by a test: the wall clock jumps as a file says, seconds
 * as text in $CLOCKSTEP_FILE; the monotonic clock goes on as ever. */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>

static time_t step(void)
{
    const char *path = getenv("CLOCKSTEP_FILE");
    FILE *f = path ? fopen(path, "re") : NULL;
    long seconds = 0;
    if (f == NULL)
        return 0;
    if (fscanf(f, "%ld", &seconds) != 1)
        seconds = 0;
    fclose(f);
    return (time_t)seconds;
}

int clock_gettime(clockid_t id, struct timespec *t)
{
    static int (*real)(clockid_t, struct timespec *);
    if (real == NULL)
        real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    int result = real(id, t);
    if (result == 0 && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE))
        t->tv_sec += step();
    return result;
}

int gettimeofday(struct timeval *restrict tv, void *restrict zone)
{
    struct timespec t;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &t);
    tv->tv_sec = t.tv_sec;
    tv->tv_usec = t.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *out)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    if (out != NULL)
        *out = t.tv_sec;
    return t.tv_sec;
}
