/* test_http_server.c - requests and answers through real sockets, with our client on the other end.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "http_pair.h"

static void methods_paths_queries_and_headers_arrive_as_sent(void **state)
{
    struct pair *p = *state;
    static const char *const methods[] = {"GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"};
    static const char *const headers[] = {"X-Test: some value"};
    pair_open(p, pair_echo, 1000);
    for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
        struct pair_call c;
        char want[100];
        call_init(p, &c, methods[i], "/a%2Fb/%20c?x=1&y=%26&empty=&flag");
        c.http.headers = headers;
        c.http.n_headers = 1;
        call_run(p, &c);
        assert_int_equal(c.http.result, HTTP_DONE);
        assert_int_equal(c.http.status, 200);
        snprintf(want, sizeof want, "%s /a%%2Fb/%%20c [x=1&y=%%26&empty=&flag]\n", methods[i]);
        assert_string_equal(c.http.response.p, want);
        assert_true(slice_is(http_call_header(&c.http, "x-test"), "some value"));
        assert_true(http_call_header(&c.http, "date").n > 0);
        http_call_clear(&c.http);
    }
}

static void head_has_a_length_and_no_body(void **state)
{
    struct pair *p = *state;
    struct pair_call c;
    pair_open(p, pair_echo, 1000);
    call_init(p, &c, "HEAD", "/x");
    call_run(p, &c);
    assert_int_equal(c.http.status, 200);
    assert_true(slice_is(http_call_header(&c.http, "content-length"), "11"));
    assert_int_equal(c.http.response.n, 0);
    http_call_clear(&c.http);
}

static void a_thousand_requests_one_after_the_other(void **state)
{
    struct pair *p = *state;
    pair_open(p, pair_echo, 1000);
    for (int i = 0; i < 1000; i++) {
        struct pair_call c;
        char body[20], want[60];
        call_init(p, &c, "POST", "/n");
        snprintf(body, sizeof body, "number %d", i);
        snprintf(want, sizeof want, "POST /n []\n%s", body);
        c.http.body = slice_of(body);
        call_run(p, &c);
        assert_int_equal(c.http.status, 200);
        assert_string_equal(c.http.response.p, want);
        http_call_clear(&c.http);
    }
    assert_int_equal(p->handled, 1000);
}

static void sixty_four_at_once_are_held_and_answered_in_any_order(void **state)
{
    struct pair *p = *state;
    enum { N = 64 };
    struct pair_call *calls = calloc(N, sizeof *calls);
    pair_open(p, pair_hold, 1000);
    for (size_t i = 0; i < N; i++) {
        char path[20];
        snprintf(path, sizeof path, "/%zu", i);
        call_init(p, &calls[i], "GET", path);
        http_client_start(p->client, &calls[i].http);
    }
    pair_hold_until(p, N);
    while (p->n_held > 0) { /* the last first */
        struct http_request *req = container_of(p->held.prev, struct http_request, node);
        list_remove(&req->node);
        p->n_held--;
        http_reply(req, 201, NULL, 0, req->path);
    }
    p->want = N;
    pair_run(p, pair_calls_done);
    for (size_t i = 0; i < N; i++) {
        char path[20];
        snprintf(path, sizeof path, "/%zu", i);
        assert_int_equal(calls[i].http.status, 201);
        assert_string_equal(calls[i].http.response.p, path);
        http_call_clear(&calls[i].http);
    }
    free(calls);
}

static void bodies_of_all_sizes_come_back(void **state)
{
    struct pair *p = *state;
    static const size_t sizes[] = {0, 1, 65535, 65536, 65537, 6 * 1024 * 1024 + 100, 7000000};
    char *body = malloc(PAIR_BODY_MAX);
    for (size_t i = 0; i < PAIR_BODY_MAX; i++)
        body[i] = (char)('a' + i % 23);
    pair_open(p, pair_echo, PAIR_BODY_MAX);
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        struct pair_call c;
        call_init(p, &c, "POST", "/");
        c.http.body = (struct slice){body, sizes[i]};
        call_run(p, &c);
        assert_int_equal(c.http.status, 200);
        assert_int_equal(c.http.response.n, sizes[i] + 10);
        assert_memory_equal(c.http.response.p + 10, body, sizes[i]);
        http_call_clear(&c.http);
    }
    free(body);
}

static void take_and_swap(struct http_request *req)
{
    struct buf b = http_request_take_body(req);
    assert_int_equal(req->body.n, 0);
    buf_str(&b, "!");
    http_reply_buf(req, 200, NULL, 0, &b);
    assert_int_equal(b.n, 0);
    buf_free(&b);
}

static void a_body_can_be_taken_and_given(void **state)
{
    struct pair *p = *state;
    pair_open(p, take_and_swap, 1000);
    for (int i = 0; i < 2; i++) {
        struct pair_call c;
        call_init(p, &c, "POST", "/");
        c.http.body = SLICE("hello");
        call_run(p, &c);
        assert_string_equal(c.http.response.p, "hello!");
        http_call_clear(&c.http);
    }
}

static void what_is_too_large_is_drained_and_told(void **state)
{
    struct pair *p = *state;
    char *body = calloc(1, 3000000);
    pair_open(p, pair_echo, 1000);
    for (size_t n = 1000; n <= 3000000; n += 999) {
        struct pair_call c;
        call_init(p, &c, "POST", "/");
        c.http.body = (struct slice){body, n};
        call_run(p, &c);
        assert_int_equal(c.http.status, n > 1000 ? 413 : 200);
        assert_int_equal(c.http.response.n, n > 1000 ? 10 : 1010);
        http_call_clear(&c.http);
        n *= 10;
    }
    free(body);
}

static void what_has_no_end_is_cut(void **state)
{
    struct pair *p = *state;
    struct pair_call c;
    size_t n = 66 * 1024 * 1024;
    char *body = calloc(1, n);
    pair_open(p, pair_echo, 1000);
    call_init(p, &c, "POST", "/");
    c.http.body = (struct slice){body, n};
    call_run(p, &c);
    assert_int_equal(c.http.result, HTTP_BROKEN);
    assert_int_equal(p->handled, 0);
    http_call_clear(&c.http);
    free(body);
}

static void odd_headers(struct http_request *req)
{
    const struct http_header h[] = {{"X-Bad", SLICE("a\r\nInjected: yes")},
                                    {"Content-Length", SLICE("3")},
                                    {"Set-Cookie", SLICE("a=1")},
                                    {"Set-Cookie", SLICE("b=2")},
                                    {"X-Long", req->body}};
    http_reply(req, 20000, h, ARRAY_LEN(h), SLICE("seven!!"));
}

static void only_valid_headers_go_out(void **state)
{
    struct pair *p = *state;
    struct pair_call c;
    char value[2000];
    memset(value, 'v', sizeof value);
    pair_open(p, odd_headers, 10000);
    call_init(p, &c, "POST", "/");
    c.http.body = (struct slice){value, sizeof value};
    call_run(p, &c);
    assert_int_equal(c.http.status, 500);
    assert_int_equal(http_call_header(&c.http, "injected").n, 0);
    assert_int_equal(http_call_header(&c.http, "x-bad").n, 0);
    assert_true(slice_is(http_call_header(&c.http, "content-length"), "7"));
    assert_non_null(strstr(c.http.response_headers.p, "Set-Cookie: a=1"));
    assert_true(slice_is(http_call_header(&c.http, "set-cookie"), "b=2"));
    assert_int_equal(http_call_header(&c.http, "x-long").n, sizeof value);
    http_call_clear(&c.http);
}

static void count_header(void *ctx, struct slice name, struct slice value)
{
    size_t *n = ctx;
    *n += name.n + value.n;
}

static void big_header(struct http_request *req)
{
    struct pair *p = req->ctx;
    size_t all = 0;
    http_request_headers(req, count_header, &all);
    p->handled = http_request_header(req, "X-BIG").n;
    assert_true(all > p->handled);
    assert_true(http_request_has_header(req, "x-big"));
    assert_false(http_request_has_header(req, "x-none"));
    http_reply(req, 200, NULL, 0, SLICE("ok"));
}

static void a_header_block_of_48_kb_is_fine(void **state)
{
    struct pair *p = *state;
    enum { N = 48 * 1024 };
    struct pair_call c;
    char *line = malloc(N + 8);
    memcpy(line, "X-Big: ", 7);
    memset(line + 7, 'x', N);
    line[N + 7] = '\0';
    const char *const headers[] = {line};
    pair_open(p, big_header, 1000);
    for (int i = 0; i < 3; i++) { /* the connection is used again */
        call_init(p, &c, "POST", "/");
        c.http.headers = headers;
        c.http.n_headers = 1;
        c.http.body = SLICE("body");
        call_run(p, &c);
        assert_int_equal(c.http.status, 200);
        assert_int_equal(p->handled, N);
        http_call_clear(&c.http);
    }
    free(line);
}

static void abort_it(struct http_request *req)
{
    http_abort(req);
}

static void an_aborted_request_gets_no_answer(void **state)
{
    struct pair *p = *state;
    struct pair_call c;
    pair_open(p, abort_it, 1000);
    call_init(p, &c, "POST", "/");
    c.http.body = SLICE("x");
    call_run(p, &c);
    assert_int_equal(c.http.result, HTTP_BROKEN);
    http_call_clear(&c.http);
}

static void name_of_ctx(struct http_request *req)
{
    http_reply(req, 200, NULL, 0, slice_of(req->ctx));
}

static void each_listener_has_its_own_context(void **state)
{
    struct pair *p = *state;
    struct error err;
    static char a[] = "first", b[] = "second";
    struct http_listener *la = http_listen(p->server, "127.0.0.1", 0, 9, name_of_ctx, a, &err);
    struct http_listener *lb = http_listen(p->server, "::1", 0, 9, name_of_ctx, b, &err);
    struct http_listener *l[] = {la, lb != NULL ? lb : la};
    for (size_t i = 0; i < 4; i++) {
        struct pair_call c;
        call_init(p, &c, "GET", "/");
        snprintf(c.url, sizeof c.url, "http://%s:%u/", l[i % 2] == lb ? "[::1]" : "127.0.0.1",
                 http_listener_port(l[i % 2]));
        call_run(p, &c);
        assert_string_equal(c.http.response.p, l[i % 2] == lb ? b : a);
        http_call_clear(&c.http);
    }
}

static void what_cannot_be_bound_is_told(void **state)
{
    struct pair *p = *state;
    struct error err = {0};
    pair_open(p, pair_echo, 10);
    assert_null(http_listen(p->server, "localhost", 0, 10, pair_echo, p, &err));
    assert_non_null(strstr(err.text, "localhost is not a numeric address"));
    assert_null(http_listen(p->server, "127.0.0.1", http_listener_port(p->listener), 10, pair_echo,
                            p, &err));
    assert_int_equal(err.sys, EADDRINUSE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PAIR(methods_paths_queries_and_headers_arrive_as_sent),
        PAIR(head_has_a_length_and_no_body),
        PAIR(a_thousand_requests_one_after_the_other),
        PAIR(sixty_four_at_once_are_held_and_answered_in_any_order),
        PAIR(bodies_of_all_sizes_come_back),
        PAIR(a_body_can_be_taken_and_given),
        PAIR(what_is_too_large_is_drained_and_told),
        PAIR(what_has_no_end_is_cut),
        PAIR(only_valid_headers_go_out),
        PAIR(a_header_block_of_48_kb_is_fine),
        PAIR(an_aborted_request_gets_no_answer),
        PAIR(each_listener_has_its_own_context),
        PAIR(what_cannot_be_bound_is_told),
    };
    return cmocka_run_group_tests_name("http_server", tests, NULL, NULL);
}
