/* process_wait.h - for the tests of processes: waits until one is gone, within a deadline. */
#ifndef TESTS_PROCESS_WAIT_H
#define TESTS_PROCESS_WAIT_H

#include "io/process.h"
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

enum { DEADLINE_MS = 20000 };

static inline void wait_gone(pid_t pid)
{
    for (int i = 0; i < DEADLINE_MS / 10; i++) {
        while (waitpid(-1, NULL, WNOHANG) > 0) {
        }
        if (kill(pid, 0) != 0 && errno == ESRCH)
            return;
        poll(NULL, 0, 10);
    }
    fail_msg("process %d is still there", pid);
}

#endif
