/* log.c - one line per fact on stderr, collected in a buffer. */
#include "base/log.h"

#include "base/timefmt.h"
#include "base/utf8.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    LINE_MAX_BYTES = 16 * 1024,
    BUFFER_BYTES = 32 * 1024,
    FIELD_MAX_BYTES = 512,
    TAIL_BYTES = 3,
    STUCK_MS = 200
};

static _Atomic int least_level = LOG_INFO, line_format = LOG_LOGFMT;

/* Everything below belongs to whoever holds the lock. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char buffer[BUFFER_BYTES];
static size_t filled;
static int64_t stamp_ms = -1;
static char stamp[TIMEFMT_MAX];

/* One line being written into the buffer; what does not fit is cut, never split in an escape. */
struct line {
    char *p, *end;
    bool json, comma;
};

static void write_out(void)
{
    for (size_t done = 0; done < filled;) {
        ssize_t n = write(STDERR_FILENO, buffer + done, filled - done);
        struct pollfd out = {.fd = STDERR_FILENO, .events = POLLOUT};
        if (n >= 0)
            done += (size_t)n;
        else if (errno == EAGAIN && poll(&out, 1, STUCK_MS) > 0)
            continue;
        else if (errno != EINTR)
            break; /* nobody reads: lines are lost, the gateway lives */
    }
    filled = 0;
}

static void line_add(struct line *l, const char *p, size_t n)
{
    if (n > (size_t)(l->end - l->p)) {
        l->end = l->p; /* nothing follows a cut */
        return;
    }
    memcpy(l->p, p, n);
    l->p += n;
}

static void line_str(struct line *l, const char *s)
{
    line_add(l, s, strlen(s));
}

/* Bytes that stand for themselves in a line; BARE: without quotes too. */
enum { PLAIN = 1, BARE = 2 };
static const unsigned char kinds[256] = {
    [' '] = PLAIN, ['!'] = PLAIN | BARE,         ['#' ... '<'] = PLAIN | BARE,
    ['='] = PLAIN, ['>' ... '['] = PLAIN | BARE, [']' ... '~'] = PLAIN | BARE,
};

/* How many bytes from the start are of that kind. */
static size_t span(const char *p, size_t n, unsigned char kind)
{
    size_t i = 0;
    while (i < n && (kinds[(unsigned char)p[i]] & kind) != 0)
        i++;
    return i;
}

static void escape_char(struct line *l, unsigned char c)
{
    char out[8];
    static const char named[] = "\"\"\\\\\nn\tt\rr";
    for (size_t i = 0; i + 1 < sizeof named; i += 2) {
        if ((unsigned char)named[i] == c) {
            line_add(l, (char[]){'\\', named[i + 1]}, 2);
            return;
        }
    }
    snprintf(out, sizeof out, "\\u%04x", c);
    line_add(l, out, 6);
}

/* Bytes over 0x7F: kept when they are UTF-8, else U+FFFD. Cut only between characters. */
static size_t escape_high(struct line *l, struct slice s)
{
    size_t n = 1;
    while (n < s.n && n < 4 && ((unsigned char)s.p[n] & 0xC0) == 0x80)
        n++;
    struct slice one = {s.p, n};
    size_t good = utf8_valid_prefix(one);
    if (good) {
        line_add(l, s.p, good);
        return good;
    }
    line_str(l, "\xEF\xBF\xBD");
    return utf8_bad_len(one);
}

static void line_escape(struct line *l, struct slice s)
{
    while (s.n && l->p < l->end) {
        size_t room = (size_t)(l->end - l->p);
        size_t n = span(s.p, s.n < room ? s.n : room, PLAIN);
        line_add(l, s.p, n);
        s = slice_from(s, n);
        if (s.n == 0)
            return;
        unsigned char c = (unsigned char)s.p[0];
        if (c >= 0x80) {
            s = slice_from(s, escape_high(l, s));
        } else if ((kinds[c] & PLAIN) == 0) {
            escape_char(l, c);
            s = slice_from(s, 1);
        }
    }
}

static void line_name(struct line *l, const char *name)
{
    if (l->comma)
        line_add(l, l->json ? "," : " ", 1);
    l->comma = true;
    line_add(l, "\"", l->json);
    line_str(l, name);
    line_add(l, l->json ? "\":" : "=", 1 + (size_t)l->json);
}

/* Values are bounded so that msg always has its place. */
static void line_field(struct line *l, const char *name, struct slice value)
{
    if (value.n > FIELD_MAX_BYTES)
        value.n = FIELD_MAX_BYTES;
    bool bare = value.n > 0 && span(value.p, value.n, BARE) == value.n;
    bool quotes = l->json || !bare;
    line_name(l, name);
    line_add(l, "\"", quotes);
    line_escape(l, value);
    line_add(l, "\"", quotes);
}

/* The room of TAIL_BYTES behind end is for what closes the line, cut or not. */
static struct line line_begin(enum log_level level)
{
    static const char *const names[] = {"debug", "info", "warn", "error"};
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    int64_t ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
    if (ms != stamp_ms)
        timefmt_iso(ms, stamp);
    stamp_ms = ms;
    if (BUFFER_BYTES - filled < LINE_MAX_BYTES)
        write_out();
    struct line l = {.p = buffer + filled, .json = line_format == LOG_JSON};
    l.end = l.p + LINE_MAX_BYTES - TAIL_BYTES;
    line_add(&l, "{", l.json);
    line_field(&l, "ts", slice_of(stamp));
    line_field(&l, "level", slice_of(names[level]));
    return l;
}

static void line_end(struct line *l, struct slice msg, bool now)
{
    line_name(l, "msg");
    line_add(l, "\"", 1);
    line_escape(l, msg);
    l->end = buffer + filled + LINE_MAX_BYTES;
    line_str(l, l->json ? "\"}\n" : "\"\n");
    filled = (size_t)(l->p - buffer);
    if (now)
        write_out();
}

void log_setup(enum log_level least, enum log_format format)
{
    least_level = (int)least;
    line_format = (int)format;
}

bool log_enabled(enum log_level level)
{
    return (int)level >= atomic_load_explicit(&least_level, memory_order_relaxed);
}

void log_write(enum log_level level, const struct log_scope *scope, const char *fmt, ...)
{
    if (!log_enabled(level))
        return;
    char msg[LINE_MAX_BYTES];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(msg, sizeof msg, fmt, ap);
    va_end(ap);
    size_t len = n < 0 ? 0 : (size_t)n < sizeof msg ? (size_t)n : sizeof msg - 1;
    pthread_mutex_lock(&lock);
    struct line l = line_begin(level);
    if (scope && scope->kind)
        line_field(&l, scope->kind, slice_of(scope->name));
    line_end(&l, (struct slice){msg, len}, level >= LOG_WARN);
    pthread_mutex_unlock(&lock);
}

void log_function(const char *function, struct slice request_id, const char *stream,
                  struct slice text)
{
    if (!log_enabled(LOG_INFO))
        return;
    pthread_mutex_lock(&lock);
    struct line l = line_begin(LOG_INFO);
    line_field(&l, "function", slice_of(function));
    if (request_id.n)
        line_field(&l, "requestId", request_id);
    line_field(&l, "stream", slice_of(stream));
    line_end(&l, text, false);
    pthread_mutex_unlock(&lock);
}

void log_flush(void)
{
    pthread_mutex_lock(&lock);
    write_out();
    pthread_mutex_unlock(&lock);
}
