/* test_http_conn.c - connections that misbehave, stall, vanish, or live through a listener's end.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "http_pair.h"
#include "io/http_conn.h"
#include <sys/resource.h>

enum { STALL_MS = 80 };

static void chunked_with_trailer(struct http_request *req)
{
    struct pair *p = req->ctx;
    p->handled++;
    struct buf out;
    buf_init(&out, 1000);
    buf_printf(&out, SLICE_FMT "|" SLICE_FMT "|" SLICE_FMT, SLICE_ARG(req->body),
               SLICE_ARG(http_request_trailer(req, "lambda-runtime-function-error-type")),
               SLICE_ARG(http_request_trailer(req, "absent")));
    http_reply_buf(req, 200, NULL, 0, &out);
}

static void chunks_and_trailers_in_any_pieces(void **state)
{
    struct pair *p = *state;
    static const char text[] = "POST /r HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
                               "Trailer: Lambda-Runtime-Function-Error-Type\r\n\r\n"
                               "5\r\nhello\r\n1;ext=1\r\n \r\n5\r\nworld\r\n0\r\n"
                               "Lambda-Runtime-Function-Error-Type: Some.Error\r\nOther: x\r\n\r\n";
    pair_open(p, chunked_with_trailer, 1000);
    pair_connect(p);
    for (size_t cut = 1; cut < sizeof text - 1; cut += 7) {
        char first[sizeof text] = {0};
        memcpy(first, text, cut);
        buf_clear(&p->got);
        pair_send(p, first);
        pair_run(p, pair_has_run); /* the first piece is read before the second is sent */
        pair_send(p, text + cut);
        pair_run(p, pair_answered);
        pair_expect(p, "\r\n\r\nhello world|Some.Error|");
        assert_false(p->eof);
    }
}

static void announced_trailers_may_be_absent(void **state)
{
    struct pair *p = *state;
    pair_open(p, chunked_with_trailer, 1000);
    pair_connect(p);
    for (int i = 0; i < 3; i++) {
        buf_clear(&p->got);
        pair_send(p, "POST /r HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
                     "Trailer: Lambda-Runtime-Function-Error-Type\r\n\r\n2\r\nhi\r\n0\r\n\r\n");
        pair_run(p, pair_answered);
        pair_expect(p, "\r\n\r\nhi||");
    }
}

static void the_client_may_ask_before_it_sends(void **state)
{
    struct pair *p = *state;
    pair_open(p, pair_echo, 1000);
    pair_connect(p);
    pair_send(p, "PUT /x HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n");
    pair_run(p, pair_has_text);
    pair_expect(p, "HTTP/1.1 100 Continue\r\n\r\n");
    buf_clear(&p->got);
    pair_send(p, "data");
    pair_run(p, pair_answered);
    pair_expect(p, "PUT /x []\ndata");
}

static void old_and_closing_clients_are_served(void **state)
{
    struct pair *p = *state;
    pair_open(p, pair_echo, 1000);
    pair_connect(p);
    pair_send(p, "GET /old HTTP/1.0\r\n\r\n");
    pair_run(p, pair_at_eof);
    pair_expect(p, "GET /old []\n");
    pair_hang_up(p);
    pair_connect(p);
    pair_send(p,
              "GET http://proxy.example/path?q HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    pair_run(p, pair_at_eof);
    pair_expect(p, "GET /path [q]\n");
}

static void what_is_not_http_is_ended(void **state)
{
    struct pair *p = *state;
    static const char *const texts[] = {
        "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\r\n\r\n", /* TLS */
        " /no-method HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: nine\r\n\r\n",
        "GET / HTTP/9.9\r\n\r\n",
    };
    pair_open(p, pair_echo, 1000);
    http_server_set_stall(p->server, STALL_MS);
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        pair_connect(p);
        pair_send(p, texts[i]);
        pair_run(p, pair_answered_or_eof);
        if (pair_cpu_ms(p, 50) > 25)
            fail_msg("text %zu keeps the server busy", i);
        pair_hang_up(p);
    }
    pair_connect(p);
    pair_send(p, "GET /alive HTTP/1.1\r\nHost: x\r\n\r\n");
    pair_run(p, pair_answered);
    pair_expect(p, "GET /alive");
}

static void half_a_request_then_the_end_is_nothing(void **state)
{
    struct pair *p = *state;
    pair_open(p, pair_echo, 1000);
    static const char *const texts[] = {
        "", "GET /", "POST / HTTP/1.1\r\nHost: x\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhalf"};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        pair_connect(p);
        pair_send(p, texts[i]);
        pair_run(p, pair_has_run);
        pair_hang_up(p);
        pair_run(p, pair_has_run);
    }
    assert_int_equal(p->handled, 0);
}

static void what_stalls_is_dropped(void **state)
{
    struct pair *p = *state;
    static const char *const texts[] = {
        "", "GE", "GET / HTTP/1.1\r\nHost",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhalf"};
    pair_open(p, pair_echo, 1000);
    http_server_set_stall(p->server, STALL_MS);
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        pair_connect(p);
        pair_send(p, texts[i]);
        int64_t before = loop_clock_us(p->loop);
        pair_run(p, pair_at_eof);
        assert_true(loop_clock_us(p->loop) - before > STALL_MS * 1000);
        pair_hang_up(p);
    }
    assert_int_equal(p->handled, 0);
}

static bool three_stalls_later(struct pair *p)
{
    pair_read(p);
    return p->eof || loop_clock_us(p->loop) > (int64_t)p->want;
}

static void an_idle_connection_and_a_held_request_may_wait_for_ever(void **state)
{
    struct pair *p = *state;
    pair_open(p, pair_hold, 1000);
    http_server_set_stall(p->server, STALL_MS);
    pair_connect(p);
    for (int i = 0; i < 2; i++) {
        buf_clear(&p->got);
        pair_send(p, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
        pair_hold_until(p, 1);
        p->want = (size_t)loop_clock_us(p->loop) + 3 * STALL_MS * 1000;
        pair_run(p, three_stalls_later); /* held */
        assert_true(pair_cpu_ms(p, 50) < 25);
        assert_false(p->eof);
        http_reply(pair_release(p), 200, NULL, 0, SLICE("late"));
        pair_run(p, pair_answered);
        pair_expect(p, "late");
        p->want = (size_t)loop_clock_us(p->loop) + 3 * STALL_MS * 1000;
        pair_run(p, three_stalls_later); /* idle */
        assert_false(p->eof);
    }
}

static void reply_much(struct http_request *req)
{
    struct pair *p = req->ctx;
    struct buf b;
    p->handled++;
    buf_init(&b, PAIR_BODY_MAX);
    buf_reserve(&b, PAIR_BODY_MAX - 1);
    memset(b.p, 'm', PAIR_BODY_MAX - 1);
    b.n = PAIR_BODY_MAX - 1;
    http_reply_buf(req, 200, NULL, 0, &b);
}

static bool reads_slowly(struct pair *p)
{
    char text[40000];
    ssize_t n = recv(p->fd, text, sizeof text, 0);
    if (n > 0)
        p->want += (size_t)n;
    return n == 0 || p->want >= PAIR_BODY_MAX;
}

static void a_slow_reader_gets_it_all_and_one_that_stops_is_dropped(void **state)
{
    struct pair *p = *state;
    pair_open(p, reply_much, 1000);
    http_server_set_stall(p->server, STALL_MS);
    pair_connect(p);
    pair_send(p, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    p->want = 0;
    int64_t before = loop_clock_us(p->loop);
    pair_run(p, reads_slowly);
    assert_true(p->want >= PAIR_BODY_MAX);
    assert_true(loop_clock_us(p->loop) - before > STALL_MS * 1000);
    pair_hang_up(p);
    pair_connect(p);
    pair_send(p, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_true(pair_cpu_ms(p, 4 * STALL_MS) < 2 * STALL_MS); /* reads nothing */
    pair_run(p, pair_at_eof);
    assert_true(p->got.n < PAIR_BODY_MAX);
}

static void a_client_that_is_gone_is_no_error(void **state)
{
    struct pair *p = *state;
    pair_open(p, pair_hold, 1000);
    for (int i = 0; i < 3; i++) {
        pair_connect(p);
        pair_send(p, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
        pair_hold_until(p, 1);
        pair_hang_up(p);
        pair_run(p, pair_has_run);
        http_reply(pair_release(p), 200, NULL, 0, SLICE("nobody"));
        pair_run(p, pair_has_run);
    }
}

static void a_closed_listener_still_answers_what_it_took(void **state)
{
    struct pair *p = *state;
    pair_open(p, pair_hold, 1000);
    uint16_t port = http_listener_port(p->listener);
    int idle = raw_connect(port);
    pair_connect(p);
    pair_send(p, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\na");
    int half = p->fd;
    pair_connect(p);
    pair_send(p, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    pair_hold_until(p, 1);
    http_listener_close(p->listener);
    assert_int_equal(raw_connect(port), -1);
    http_reply(pair_release(p), 200, NULL, 0, SLICE("farewell"));
    pair_run(p, pair_at_eof);
    pair_expect(p, "farewell");
    pair_expect(p, "Connection: close");
    pair_hang_up(p);
    buf_clear(&p->got);
    p->fd = half; /* its request ends after the close: the handler does not get it */
    p->eof = false;
    pair_send(p, "b");
    pair_run(p, pair_at_eof);
    pair_expect(p, "HTTP/1.1 503");
    pair_hang_up(p);
    p->fd = idle;
    p->eof = false;
    pair_run(p, pair_at_eof);
    assert_int_equal(p->handled, 1);
}

static void the_server_can_be_freed_with_requests_open(void **state)
{
    struct pair *p = *state;
    int fds[8];
    pair_open(p, pair_hold, 1000);
    for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
        pair_connect(p);
        pair_send(p, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
        fds[i] = p->fd;
    }
    pair_hold_until(p, ARRAY_LEN(fds));
    http_listener_close(p->listener);
    pair_open(p, pair_hold, 1000);
    http_server_free(p->server);
    p->server = NULL;
    for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
        p->fd = fds[i];
        p->eof = false;
        buf_clear(&p->got);
        pair_run(p, pair_at_eof);
        pair_expect(p, "HTTP/1.1 503");
        pair_hang_up(p);
    }
}

static void more_connections_than_one_turn_accepts(void **state)
{
    struct pair *p = *state;
    enum { N = 300 };
    int fds[N];
    pair_open(p, pair_hold, 1000);
    for (size_t i = 0; i < N; i++) {
        pair_connect(p);
        pair_send(p, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
        fds[i] = p->fd;
    }
    pair_hold_until(p, N);
    while (p->n_held > 0)
        http_reply(pair_release(p), 204, NULL, 0, SLICE_NONE);
    for (size_t i = 0; i < N; i++) {
        p->fd = fds[i];
        buf_clear(&p->got);
        pair_run(p, pair_has_text);
        pair_expect(p, "HTTP/1.1 204");
        pair_hang_up(p);
    }
}

static void without_descriptors_it_waits_for_better_times(void **state)
{
    struct pair *p = *state;
    struct rlimit before, low;
    int fds[64], n = 0;
    pair_open(p, pair_hold, 1000);
    pair_connect(p);
    getrlimit(RLIMIT_NOFILE, &before);
    low = (struct rlimit){(rlim_t)p->fd + 9, before.rlim_max};
    pair_hang_up(p);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
    while (n < 64 && (fds[n] = raw_connect(http_listener_port(p->listener))) >= 0) {
        assert_int_equal(send(fds[n++], "GET / HTTP/1.1\r\nHost: x\r\n\r\n", 27, 0), 27);
    }
    assert_in_range(n, 5, 20);
    assert_true(pair_cpu_ms(p, 100) < 50);
    assert_int_equal(p->handled, 0);
    setrlimit(RLIMIT_NOFILE, &before);
    pair_hold_until(p, (size_t)n);
    while (n > 0)
        close(fds[--n]);
    while (p->n_held > 0)
        http_reply(pair_release(p), 200, NULL, 0, SLICE_NONE);
}

static void take(struct http_request *req)
{
    struct buf b = http_request_take_body(req);
    buf_free(&b);
    pair_echo(req);
}

static void bodies_are_bounded_over_all_connections(void **state)
{
    struct pair *p = *state;
    static const char *const texts[] = {
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 20\r\n\r\ntwenty bytes of body", /* too large
                                                                                         */
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhalf"};
    for (size_t i = 0; i < 2 * ARRAY_LEN(texts); i++) {
        pair_open(p, i % 2 == 0 ? pair_echo : take, 10);
        pair_connect(p);
        pair_send(p, texts[i / 2]);
        pair_run(p, i / 2 == 2 ? pair_has_run : pair_answered);
        assert_int_equal(p->server->body_bytes, i / 2 == 2 ? 4 : 0);
        pair_hang_up(p);
        pair_run(p, pair_has_run);
        assert_int_equal(p->server->body_bytes, 0);
    }
    p->server->body_bytes = 512 * 1024 * 1024 - 3; /* as if others held them */
    pair_connect(p);
    pair_send(p, texts[0]);
    pair_run(p, pair_at_eof);
    assert_int_equal(p->got.n, 0);
    assert_int_equal(p->server->body_bytes, 512 * 1024 * 1024 - 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PAIR(chunks_and_trailers_in_any_pieces),
        PAIR(announced_trailers_may_be_absent),
        PAIR(the_client_may_ask_before_it_sends),
        PAIR(old_and_closing_clients_are_served),
        PAIR(what_is_not_http_is_ended),
        PAIR(half_a_request_then_the_end_is_nothing),
        PAIR(what_stalls_is_dropped),
        PAIR(an_idle_connection_and_a_held_request_may_wait_for_ever),
        PAIR(a_slow_reader_gets_it_all_and_one_that_stops_is_dropped),
        PAIR(a_client_that_is_gone_is_no_error),
        PAIR(a_closed_listener_still_answers_what_it_took),
        PAIR(the_server_can_be_freed_with_requests_open),
        PAIR(more_connections_than_one_turn_accepts),
        PAIR(bodies_are_bounded_over_all_connections),
        PAIR(without_descriptors_it_waits_for_better_times),
    };
    return cmocka_run_group_tests_name("http_conn", tests, NULL, NULL);
}
