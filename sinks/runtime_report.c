/* runtime_report.c - what is said about an invocation: its output, START, END and REPORT lines. */
#include "sinks/runtime.h"

#include <stdio.h>
#include <string.h>

static struct loop *loop_of(const struct runtime_call *call)
{
    return call->runtime->sink.env->loop;
}

static char *put(char *at, const char *text)
{
    return stpcpy(at, text);
}

static char *put_u64(char *at, uint64_t v)
{
    char digits[20];
    size_t n = 0;
    do
        digits[n++] = (char)('0' + v % 10);
    while ((v /= 10) > 0);
    while (n > 0)
        *at++ = digits[--n];
    *at = '\0';
    return at;
}

/* The last 4 KB are wanted; up to twice that is kept, so that moving is rare. */
static void tail_add(struct buf *tail, struct slice line)
{
    size_t most = RUNTIME_TAIL_BYTES - 1;
    if (line.n > most)
        line = slice_from(line, line.n - most);
    if (tail->n + line.n + 1 > tail->limit) {
        memmove(tail->p, tail->p + tail->n - most, most);
        tail->n = most;
    }
    buf_put(tail, line);
    buf_char(tail, '\n');
}

static void emit(struct runtime_call *call, const char *stream, struct slice line)
{
    log_function(call->runtime->sink.function->name, slice_of(call->delivery->request_id), stream,
                 line);
    if (call->delivery->log_tail)
        tail_add(&call->tail, line);
}

static bool wants_lines(const struct runtime_call *call)
{
    return call->delivery->log_tail || log_enabled(LOG_INFO);
}

void runtime_report_start(struct runtime_call *call)
{
    char line[100];
    if (!wants_lines(call))
        return;
    put(put(put(line, "START RequestId: "), call->delivery->request_id), " Version: $LATEST");
    emit(call, "platform", slice_of(line));
}

/* Hundredths of a millisecond, as AWS prints durations. */
static char *put_ms(char *at, int64_t us)
{
    uint64_t hundredths = ((uint64_t)(us > 0 ? us : 0) + 5) / 10;
    at = put_u64(at, hundredths / 100);
    *at++ = '.';
    *at++ = (char)('0' + hundredths / 10 % 10);
    *at++ = (char)('0' + hundredths % 10);
    return put(at, " ms");
}

/* Reading it costs a system call or three: once a second is enough. */
static int64_t peak_mb(struct runtime_sandbox *sb)
{
    int64_t now = loop_now(sb->runtime->sink.env->loop);
    if (sb->peak_mb == 0 || now - sb->peak_ms >= 1000) {
        int64_t mb = process_peak_mb(sb->process);
        sb->peak_mb = mb > 0 ? mb : sb->peak_mb;
        sb->peak_ms = now;
    }
    return sb->peak_mb;
}

void runtime_report_end(struct runtime_call *call, const char *status)
{
    struct runtime_sandbox *sb = call->sandbox;
    const char *id = call->delivery->request_id;
    int64_t us = loop_clock_us(loop_of(call)) - call->began_us;
    char line[400];
    if (!wants_lines(call))
        return;
    if (status != NULL) /* the platform ended it: the function could not say why */
        emit(call, "platform", slice_of(call->delivery->reply.detail));
    put(put(line, "END RequestId: "), id);
    emit(call, "platform", slice_of(line));

    char *at = put(put(put(line, "REPORT RequestId: "), id), "\tDuration: ");
    at = put(put_ms(at, us), "\tBilled Duration: ");
    at = put(put_u64(at, (uint64_t)(us + 999) / 1000), " ms\tMemory Size: ");
    at = put(put_u64(at, (uint64_t)call->runtime->sink.function->memory_mb), " MB");
    at = put(put_u64(put(at, "\tMax Memory Used: "), (uint64_t)peak_mb(sb)), " MB");
    if (sb->init_us > 0)
        at = put_ms(put(at, "\tInit Duration: "), sb->init_us);
    if (status != NULL)
        put(put(at, "\tStatus: "), status);
    emit(call, "platform", slice_of(line));
}

void runtime_report_tail(struct runtime_call *call)
{
    struct delivery *d = call->delivery;
    if (!d->log_tail)
        return;
    struct slice tail = buf_slice(&call->tail);
    size_t excess = tail.n > RUNTIME_TAIL_BYTES ? tail.n - RUNTIME_TAIL_BYTES : 0;
    buf_init(&d->reply.log_tail, RUNTIME_TAIL_BYTES);
    buf_put(&d->reply.log_tail, slice_from(tail, excess));
}

void runtime_report_dropped(struct runtime_sandbox *sb)
{
    if (sb->log_dropped > 0)
        log_warn(&sb->runtime->sink.log,
                 "%zu lines of output were dropped: more than %d bytes in one second",
                 sb->log_dropped, (int)RUNTIME_LOG_RATE);
    sb->log_bytes = sb->log_dropped = 0;
}

/* A process that writes without end must not fill the disk that logs go to. */
static bool within_rate(struct runtime_sandbox *sb, size_t bytes)
{
    int64_t now = loop_now(sb->runtime->sink.env->loop);
    if (now - sb->log_ms >= 1000) {
        runtime_report_dropped(sb);
        sb->log_ms = now;
    }
    sb->log_bytes += bytes;
    if (sb->log_bytes <= RUNTIME_LOG_RATE)
        return true;
    sb->log_dropped++;
    return false;
}

void runtime_report_line(void *sandbox, int stream, struct slice line)
{
    struct runtime_sandbox *sb = sandbox;
    /* With several events out nobody can tell whose line it is. */
    bool one = !list_empty(&sb->calls) && sb->calls.next == sb->calls.prev;
    struct runtime_call *call =
        one ? container_of(sb->calls.next, struct runtime_call, node) : NULL;
    if (call != NULL && call->delivery->log_tail)
        tail_add(&call->tail, line);
    if (within_rate(sb, line.n))
        log_function(sb->runtime->sink.function->name,
                     call != NULL ? slice_of(call->delivery->request_id) : SLICE_NONE,
                     stream == 2 ? "stderr" : "stdout", line);
}
