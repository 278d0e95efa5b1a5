/* text_file.c - reads configuration and secret files. */
#include "config/text_file.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CHUNK_BYTES = 16 * 1024, PATIENCE_MS = 1000 };

static bool read_all(int fd, struct buf *out, struct error *err)
{
    char chunk[CHUNK_BYTES];
    for (;;) {
        ssize_t n = read(fd, chunk, sizeof chunk);
        if (n == 0)
            return true;
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN) {
            struct pollfd writer = {.fd = fd, .events = POLLIN};
            if (poll(&writer, 1, PATIENCE_MS) == 0)
                return error_set(err, ERROR_CONFIG,
                                 "cannot read: it is a pipe that brings nothing");
            continue;
        }
        if (n < 0)
            return error_sys(err, "cannot read");
        if (!buf_add(out, chunk, (size_t)n))
            return error_set(err, ERROR_LIMIT, "larger than %zu bytes", out->limit);
    }
}

bool text_file_read(const char *path, struct buf *out, struct error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* the loop must not hang on a pipe */
    if (fd < 0)
        return error_sys(err, "cannot read");
    struct stat st;
    bool ok = fstat(fd, &st) == 0 && !S_ISDIR(st.st_mode);
    if (ok)
        ok = read_all(fd, out, err);
    else
        (void)error_set(err, ERROR_CONFIG, "cannot read: it is a directory");
    close(fd);
    return ok;
}
