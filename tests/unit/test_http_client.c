/* test_http_client.c - calls that succeed, fail in every way, are never sent twice, and are
 * cancelled. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "http_fake.h"

#define OK_REPLY "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

static enum http_result result_of(struct pair *p, const char *method, const char *path,
                                  struct slice body)
{
    struct pair_call c;
    call_init(p, &c, method, path);
    c.http.body = body;
    call_run(p, &c);
    if ((c.http.result == HTTP_DONE) != (c.http.detail[0] == '\0'))
        fail_msg("result %d, \"%s\"", (int)c.http.result, c.http.detail);
    http_call_clear(&c.http);
    return c.http.result;
}

static void the_request_is_written_as_asked(void **state)
{
    struct pair *p = *state;
    struct fake f;
    static const char *const replies[] = {OK_REPLY, OK_REPLY, OK_REPLY, OK_REPLY};
    static const char *const headers[] = {"X-One: 1", "content-type: application/json"};
    struct pair_call c;
    fake_start(&f, p, replies, 4);
    call_init(p, &c, "POST", "/a/../b/%2f?x=%20");
    c.http.body = SLICE("{}");
    c.http.headers = headers;
    c.http.n_headers = 2;
    call_run(p, &c);
    const char *const present[] = {"POST /a/../b/%2f?x=%20 HTTP/1.1\r\n", "X-One: 1\r\n",
                                   "content-type: application/json\r\n", "Content-Length: 2\r\n",
                                   "\r\n\r\n{}"};
    for (size_t i = 0; i < ARRAY_LEN(present); i++)
        assert_non_null(strstr(f.last.p, present[i]));
    assert_null(strstr(f.last.p, "Expect"));
    assert_null(strstr(f.last.p, "Content-Type"));
    http_call_clear(&c.http);
    assert_int_equal(result_of(p, "PUT", "/", SLICE_NONE), HTTP_DONE);
    assert_non_null(strstr(f.last.p, "PUT / HTTP/1.1\r\n"));
    assert_non_null(strstr(f.last.p, "Content-Length: 0\r\n"));
    assert_null(strstr(f.last.p, "Content-Type"));
    assert_int_equal(result_of(p, "DELETE", "/", SLICE_NONE), HTTP_DONE);
    assert_non_null(strstr(f.last.p, "DELETE / HTTP/1.1\r\n"));
    assert_null(strstr(f.last.p, "Content-Length"));
    assert_int_equal(result_of(p, "DELETE", "/", SLICE("x")), HTTP_DONE);
    assert_non_null(strstr(f.last.p, "DELETE / HTTP/1.1\r\n"));
    assert_int_equal(f.n_conns, 1);
    fake_stop(&f);
}

static void headers_are_those_of_the_last_answer(void **state)
{
    struct pair *p = *state;
    struct fake f;
    static const char *const replies[] = {
        "HTTP/1.1 100 Continue\r\nX-A: interim\r\n\r\n"
        "HTTP/1.1 404 Gone\r\nX-A:  first\r\nx-a: second \r\nTransfer-Encoding: chunked\r\n\r\n"
        "3\r\nabc\r\n0\r\nX-Trailer: t\r\n\r\n"};
    struct pair_call c;
    fake_start(&f, p, replies, 1);
    call_init(p, &c, "GET", "/");
    call_run(p, &c);
    assert_int_equal(c.http.result, HTTP_DONE);
    assert_int_equal(c.http.status, 404);
    assert_string_equal(c.http.response.p, "abc");
    assert_true(slice_is(http_call_header(&c.http, "X-A"), "second"));
    assert_true(slice_is(http_call_header(&c.http, "x-trailer"), "t"));
    assert_int_equal(http_call_header(&c.http, "x").n, 0);
    assert_int_equal(http_call_header(&c.http, "HTTP/1.1 404 Gone").n, 0);
    http_call_clear(&c.http);
    fake_stop(&f);
}

/* The peer read a request and died: whether the connection was fresh or used before, whatever the
 * body, the request has been written exactly once and the caller is told. */
static void a_request_that_was_read_is_never_sent_again(void **state)
{
    struct pair *p = *state;
    static const char *const methods[] = {"POST", "GET", "PUT", "HEAD", "DELETE"};
    static const size_t sizes[] = {0, 256, 70000, 3000000};
    char *body = calloc(1, 3000000);
    for (size_t m = 0; m < ARRAY_LEN(methods); m++) {
        for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
            static const char *const replies[] = {OK_REPLY, NULL, OK_REPLY, OK_REPLY, OK_REPLY};
            static const char *const head_replies[] = {
                "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", NULL, OK_REPLY};
            struct slice b = {body, sizes[i]};
            struct fake f;
            if (sizes[i] > 0 && (strcmp(methods[m], "GET") == 0 || strcmp(methods[m], "HEAD") == 0))
                continue;
            if (strcmp(methods[m], "HEAD") == 0)
                fake_start(&f, p, head_replies, 3);
            else
                fake_start(&f, p, replies, 5);
            assert_int_equal(result_of(p, methods[m], "/", b), HTTP_DONE);
            assert_int_equal(result_of(p, methods[m], "/", b), HTTP_BROKEN); /* reused */
            assert_int_equal(f.requests, 2);
            f.n_replies = 0;
            assert_int_equal(result_of(p, methods[m], "/", b), HTTP_BROKEN); /* fresh */
            assert_int_equal(f.requests, 3);
            fake_stop(&f);
        }
    }
    free(body);
}

static void a_connection_that_ended_while_idle_is_replaced(void **state)
{
    struct pair *p = *state;
    struct fake f;
    static const char *const replies[] = {OK_REPLY, OK_REPLY "\v", OK_REPLY, OK_REPLY};
    fake_start(&f, p, replies, 4);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(result_of(p, "POST", "/", SLICE("x")), HTTP_DONE);
        if (i == 2)
            fake_close_all(&f);
    }
    assert_int_equal(f.requests, 4);
    assert_int_equal(f.n_conns, 3);
    fake_stop(&f);
}

static void an_idle_connection_that_ends_does_not_keep_us_busy(void **state)
{
    struct pair *p = *state;
    struct fake f;
    static const char *const replies[] = {OK_REPLY};
    fake_start(&f, p, replies, 1);
    assert_int_equal(result_of(p, "POST", "/", SLICE("x")), HTTP_DONE);
    fake_close_all(&f);
    assert_true(pair_cpu_ms(p, 300) < 150);
    fake_stop(&f);
}

static void each_failure_has_its_name(void **state)
{
    struct pair *p = *state;
    struct fake f;
    static const struct {
        const char *reply;
        enum http_result want;
    } cases[] = {
        {"SSH-2.0-OpenSSH\r\n\v", HTTP_GARBLED},
        {"HTTP/1.1 200 OK\r\nContent-Length: 19\r\n\r\nonly this\v", HTTP_BROKEN},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab\v", HTTP_BROKEN},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", HTTP_BROKEN},
        {"HTTP/1.1 200", HTTP_TIMEOUT},
        {"", HTTP_TIMEOUT},
        {"HTTP/1.1 200 OK\r\nContent-Length: 21\r\n\r\n0", HTTP_TOO_LARGE},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n16\r\n0123456789012345678901\r\n",
         HTTP_TOO_LARGE},
        {"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n01234567890123456789", HTTP_DONE},
        {"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
         HTTP_DONE},
        {NULL, HTTP_BROKEN},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct pair_call c;
        fake_start(&f, p, &cases[i].reply, 1);
        call_init(p, &c, "POST", "/");
        c.http.body = SLICE("x");
        c.http.timeout_ms = 150;
        c.http.max_response_bytes = 20;
        call_run(p, &c);
        if (c.http.result != cases[i].want)
            fail_msg("case %zu: %d (%s)", i, (int)c.http.result, c.http.detail);
        assert_int_equal(c.http.response.n > 20, 0);
        assert_int_equal(f.requests, 1);
        http_call_clear(&c.http);
        fake_stop(&f);
    }
}

static void what_was_not_sent_is_told_apart(void **state)
{
    struct pair *p = *state;
    struct fake f;
    static const char *const urls[] = {NULL, "ftp://127.0.0.1/",
                                       "nonsense:", "https://127.0.0.1:1/"};
    fake_start(&f, p, NULL, 0);
    fake_stop(&f); /* nobody listens there any more */
    for (size_t i = 0; i < ARRAY_LEN(urls); i++) {
        struct pair_call c;
        call_init(p, &c, "POST", "/");
        if (urls[i] != NULL)
            c.http.url = urls[i];
        call_run(p, &c);
        assert_int_equal(c.http.result, HTTP_NO_CONNECT);
        assert_true(c.http.detail[0] != '\0');
        http_call_clear(&c.http);
    }
}

static void a_listener_that_never_accepts_is_no_connection(void **state)
{
    struct pair *p = *state;
    struct sockaddr_in a = {.sin_family = AF_INET};
    socklen_t n = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), full[4];
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(listen(fd, 0), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &n), 0);
    for (size_t i = 0; i < ARRAY_LEN(full); i++) { /* fill the backlog */
        full[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        (void)connect(full[i], (struct sockaddr *)&a, sizeof a);
    }
    struct pair_call c;
    snprintf(p->base, sizeof p->base, "http://127.0.0.1:%u", ntohs(a.sin_port));
    call_init(p, &c, "GET", "/");
    c.http.timeout_ms = 100;
    call_run(p, &c);
    assert_int_equal(c.http.result, HTTP_NO_CONNECT);
    http_call_clear(&c.http);
    for (size_t i = 0; i < ARRAY_LEN(full); i++)
        close(full[i]);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PAIR(the_request_is_written_as_asked),
        PAIR(headers_are_those_of_the_last_answer),
        PAIR(a_request_that_was_read_is_never_sent_again),
        PAIR(a_connection_that_ended_while_idle_is_replaced),
        PAIR(an_idle_connection_that_ends_does_not_keep_us_busy),
        PAIR(each_failure_has_its_name),
        PAIR(what_was_not_sent_is_told_apart),
        PAIR(a_listener_that_never_accepts_is_no_connection),
    };
    return cmocka_run_group_tests_name("http_client", tests, NULL, NULL);
}
