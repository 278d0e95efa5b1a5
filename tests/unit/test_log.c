/* test_log.c - the lines on stderr, read back through a pipe. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/json_in.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/timefmt.h"
#include "base/utf8.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const struct log_scope scope = {"mapping", "orders/Queue"};

/* stderr is a file while a test runs. */
struct capture {
    int file, stderr_before;
    struct buf text;
};

static int start(void **state)
{
    struct capture *c = mem_alloc(sizeof *c);
    char path[] = "/tmp/test_log.XXXXXX";
    c->file = mkstemp(path);
    unlink(path);
    c->stderr_before = dup(STDERR_FILENO);
    dup2(c->file, STDERR_FILENO);
    buf_init(&c->text, 64 << 20);
    *state = c;
    return c->file < 0;
}

static int finish(void **state)
{
    struct capture *c = *state;
    log_flush();
    dup2(c->stderr_before, STDERR_FILENO);
    close(c->stderr_before);
    close(c->file);
    buf_free(&c->text);
    free(c);
    log_setup(LOG_INFO, LOG_LOGFMT);
    return 0;
}

/* What was written since the last time. */
static const char *written(struct capture *c)
{
    struct buf *b = &c->text;
    off_t end = lseek(c->file, 0, SEEK_END);
    buf_clear(b);
    buf_reserve(b, (size_t)end + 1);
    b->n = (size_t)pread(c->file, b->p, (size_t)end, 0);
    b->p[b->n] = '\0';
    assert_int_equal(ftruncate(c->file, 0), 0);
    lseek(c->file, 0, SEEK_SET);
    return b->p;
}

/* The line without its time stamp, whose form is checked here. */
static const char *after_stamp(const char *line, const char *prefix)
{
    static const char form[] = "dddd-dd-ddTdd:dd:dd.dddZ";
    size_t n = strlen(prefix);
    assert_memory_equal(line, prefix, n);
    for (size_t i = 0; i < sizeof form - 1; i++) {
        char c = line[n + i];
        if (form[i] == 'd' ? c < '0' || c > '9' : c != form[i])
            fail_msg("not a time stamp: %s", line);
    }
    return line + n + sizeof form - 1;
}

static void logfmt_lines(void **state)
{
    struct capture *c = *state;
    log_setup(LOG_DEBUG, LOG_LOGFMT);
    log_warn(&scope, "took %d ms", 7);
    assert_string_equal(after_stamp(written(c), "ts="),
                        " level=warn mapping=orders/Queue msg=\"took 7 ms\"\n");
    log_error(NULL, "a \"quote\", a \\, a\nbreak, \x01\x7f and \xff");
    assert_string_equal(after_stamp(written(c), "ts="),
                        " level=error msg=\"a \\\"quote\\\", a \\\\, a\\nbreak, \\u0001\\u007f and "
                        "\xef\xbf\xbd\"\n");
    const struct log_scope odd = {"mapping", "a b=\""}, none = {"mapping", NULL};
    log_warn(&odd, "x");
    assert_string_equal(after_stamp(written(c), "ts="),
                        " level=warn mapping=\"a b=\\\"\" msg=\"x\"\n");
    log_warn(&none, "x");
    assert_string_equal(after_stamp(written(c), "ts="), " level=warn mapping=\"\" msg=\"x\"\n");
}

static void json_lines(void **state)
{
    struct capture *c = *state;
    log_setup(LOG_DEBUG, LOG_JSON);
    log_debug(&scope, "%s", "gr\xc3\xbc\xc3\x9f\t\"");
    log_flush();
    assert_string_equal(
        after_stamp(written(c), "{\"ts\":\""),
        "\",\"level\":\"debug\",\"mapping\":\"orders/Queue\",\"msg\":\"gr\xc3\xbc\xc3\x9f"
        "\\t\\\"\"}\n");
}

static void function_lines(void **state)
{
    struct capture *c = *state;
    log_function("orders", SLICE("req-1"), "stdout", SLICE("a\0\"b\""));
    log_function("orders", SLICE_NONE, "platform", SLICE(""));
    log_flush();
    const char *text = written(c);
    const char *second = strchr(text, '\n') + 1;
    const char *want = " level=info function=orders requestId=req-1 stream=stdout "
                       "msg=\"a\\u0000\\\"b\\\"\"\n";
    assert_memory_equal(after_stamp(text, "ts="), want, strlen(want));
    assert_string_equal(after_stamp(second, "ts="),
                        " level=info function=orders stream=platform msg=\"\"\n");
    log_setup(LOG_INFO, LOG_JSON);
    log_function("orders", SLICE("req-1"), "stderr", SLICE("x"));
    log_flush();
    assert_string_equal(after_stamp(written(c), "{\"ts\":\""),
                        "\",\"level\":\"info\",\"function\":\"orders\",\"requestId\":\"req-1\","
                        "\"stream\":\"stderr\",\"msg\":\"x\"}\n");
}

static void levels_are_kept(void **state)
{
    struct capture *c = *state;
    log_setup(LOG_WARN, LOG_LOGFMT);
    log_info(&scope, "no");
    log_debug(&scope, "no");
    log_function("f", SLICE_NONE, "stdout", SLICE("no"));
    log_flush();
    assert_string_equal(written(c), "");
    assert_false(log_enabled(LOG_INFO));
    assert_true(log_enabled(LOG_WARN));
    log_warn(&scope, "yes");
    assert_non_null(strstr(written(c), "yes"));
}

static void lines_wait_until_it_matters(void **state)
{
    struct capture *c = *state;
    log_info(&scope, "first");
    assert_string_equal(written(c), "");
    log_warn(&scope, "second");
    const char *text = written(c);
    assert_true(strstr(text, "first") < strstr(text, "second"));
    assert_non_null(strstr(text, "first"));
    for (int i = 0; i < 1000; i++)
        log_info(&scope, "number %d", i);
    size_t early = strlen(written(c));
    assert_true(early > 0);
    log_flush();
    text = written(c);
    assert_non_null(strstr(text, "number 999"));
    log_flush();
    assert_string_equal(written(c), "");
}

static void long_lines_are_cut(void **state)
{
    struct capture *c = *state;
    enum { N = 64 * 1024 };
    char *wide = mem_alloc(N + 1);
    static const char *const fills[] = {"x", "\n", "\xc3\xa9", "\xff", "\"", "\xe2\x82\xac"};
    for (size_t f = 0; f < 2 * ARRAY_LEN(fills); f++) {
        size_t len = strlen(fills[f / 2]);
        for (size_t i = 0; i + len <= N; i += len)
            memcpy(wide + i, fills[f / 2], len);
        log_setup(LOG_INFO, f % 2 ? LOG_JSON : LOG_LOGFMT);
        log_function(wide, (struct slice){wide, N}, "stdout", (struct slice){wide, N});
        log_info(&scope, "%s", wide);
        log_info(&scope, "next");
        log_flush();
        struct slice text = slice_of(written(c));
        assert_true(utf8_valid(text));
        for (int i = 0; i < 3; i++) {
            struct slice line = slice_cut(&text, '\n');
            size_t at;
            assert_true(line.n < 16 * 1024);
            assert_true(i == 2 || line.n > 15 * 1024);
            assert_true(slice_ends(line, f % 2 ? "\"}" : "\""));
            assert_non_null(memmem(line.p, line.n, f % 2 ? "\"msg\":\"" : " msg=\"", 6));
            if (f % 2)
                assert_true(json_valid(line, &at));
        }
        assert_int_equal(text.n, 0);
    }
    free(wide);
}

/* What stands on a line is the beginning of the message: no hole where a piece did not fit. */
static void a_cut_leaves_no_hole(void **state)
{
    struct capture *c = *state;
    enum { PIECES = 9000 };
    char *raw = mem_alloc(3 * PIECES), *want = mem_alloc(8 * PIECES + 1);
    for (size_t i = 0; i < PIECES; i++) {
        memcpy(raw + 3 * i, "\x01yy", 3);
        memcpy(want + 8 * i, "\\u0001yy", 8);
    }
    for (size_t shift = 0; shift < 8; shift++) {
        struct buf name;
        buf_init(&name, 100);
        for (size_t i = 0; i <= shift; i++)
            buf_char(&name, 'n');
        for (int i = 0; i < 200; i++) /* a buffer that is more than half full */
            log_info(&scope, "one of many short lines that fill the buffer");
        log_flush();
        for (int i = 0; i < 200; i++)
            log_info(&scope, "one of many short lines that fill the buffer");
        written(c);
        log_function(name.p, SLICE_NONE, "stdout", (struct slice){raw, 3 * PIECES});
        log_flush();
        const char *msg = strstr(written(c), "stream=stdout msg=\"");
        assert_non_null(msg);
        struct slice line = slice_of(msg + strlen("stream=stdout msg=\""));
        assert_true(slice_ends(line, "\"\n") && line.n > 15 * 1024);
        assert_memory_equal(line.p, want, line.n - 2);
        buf_free(&name);
    }
    free(raw);
    free(want);
}

static int64_t wall_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void stamps_follow_the_clock(void **state)
{
    struct capture *c = *state;
    for (int i = 0; i < 5; i++) {
        char before[TIMEFMT_MAX], after[TIMEFMT_MAX], stamp[TIMEFMT_MAX];
        int64_t start_ms = wall_ms();
        while (wall_ms() == start_ms)
            continue;
        timefmt_iso(wall_ms(), before);
        log_warn(NULL, "now");
        timefmt_iso(wall_ms(), after);
        assert_int_equal(sscanf(written(c), "ts=%39s", stamp), 1);
        assert_true(strcmp(before, stamp) <= 0 && strcmp(stamp, after) <= 0);
    }
}

enum { THREADS = 4, LINES = 3000 };

static void *speak(void *who)
{
    for (int i = 0; i < LINES; i++)
        log_write(i % 100 ? LOG_INFO : LOG_WARN, who, "line %d of many that are long enough", i);
    return NULL;
}

static void threads_do_not_mix_lines(void **state)
{
    struct capture *c = *state;
    static const struct log_scope who[THREADS] = {
        {"mapping", "t0"}, {"mapping", "t1"}, {"mapping", "t2"}, {"mapping", "t3"}};
    pthread_t threads[THREADS];
    int next[THREADS] = {0};
    for (size_t i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, speak, (void *)(uintptr_t)&who[i]);
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    log_flush();
    struct slice text = slice_of(written(c));
    while (text.n) {
        struct slice line = slice_cut(&text, '\n');
        char copy[200], level[8];
        unsigned t;
        int i;
        snprintf(copy, sizeof copy, SLICE_FMT, SLICE_ARG(line));
        const char *rest = after_stamp(copy, "ts=");
        assert_int_equal(sscanf(rest, " level=%4s mapping=t%u msg=\"line %d", level, &t, &i), 3);
        assert_true(t < THREADS);
        assert_int_equal(i, next[t]++); /* each thread's lines stay in order */
        assert_true(slice_ends(line, "of many that are long enough\""));
    }
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(next[i], LINES);
}

/* Nobody reads: lines are lost, nothing hangs, and it works again afterwards. */
static void reader_that_sleeps_or_dies(void **state)
{
    struct capture *c = *state;
    int fds[2];
    assert_int_equal(pipe2(fds, O_NONBLOCK), 0);
    dup2(fds[1], STDERR_FILENO);
    for (int i = 0; i < 2000; i++)
        log_info(&scope, "into a pipe that fills up: %d and %060d", i, i);
    log_flush();
    close(STDERR_FILENO);
    log_error(&scope, "no stderr");
    dup2(c->file, STDERR_FILENO);
    close(fds[0]);
    close(fds[1]);
    log_error(&scope, "back");
    const char *text = written(c);
    assert_non_null(strstr(text, "back"));
    assert_null(strstr(text, "no stderr"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(logfmt_lines, start, finish),
        cmocka_unit_test_setup_teardown(json_lines, start, finish),
        cmocka_unit_test_setup_teardown(function_lines, start, finish),
        cmocka_unit_test_setup_teardown(levels_are_kept, start, finish),
        cmocka_unit_test_setup_teardown(lines_wait_until_it_matters, start, finish),
        cmocka_unit_test_setup_teardown(long_lines_are_cut, start, finish),
        cmocka_unit_test_setup_teardown(a_cut_leaves_no_hole, start, finish),
        cmocka_unit_test_setup_teardown(stamps_follow_the_clock, start, finish),
        cmocka_unit_test_setup_teardown(threads_do_not_mix_lines, start, finish),
        cmocka_unit_test_setup_teardown(reader_that_sleeps_or_dies, start, finish),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
