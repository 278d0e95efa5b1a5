/* test_http_calls.c - the life of calls: started and cancelled anywhere, many at once, names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "http_pair.h"

struct chain {
    struct pair_call call;
    struct chain *cancels; /* this one is cancelled when we are done */
    int left;
    bool inside; /* http_client_start is on the stack */
};

static void start(struct pair *p, struct chain *c)
{
    c->inside = true;
    http_client_start(p->client, &c->call.http);
    c->inside = false;
}

static void again(struct http_call *http)
{
    struct chain *c = container_of(container_of(http, struct pair_call, http), struct chain, call);
    struct pair *p = c->call.pair;
    assert_false(c->inside);
    assert_int_equal(http->result, HTTP_DONE);
    http_call_clear(http);
    p->done++;
    if (c->cancels != NULL)
        http_client_cancel(p->client, &c->cancels->call.http);
    if (--c->left > 0) {
        call_init(p, &c->call, "POST", "/again");
        http->body = SLICE("x");
        http->done = again;
        start(p, c);
    }
}

static void a_call_may_be_started_where_another_ended(void **state)
{
    struct pair *p = *state;
    struct chain c = {.left = 50};
    pair_open(p, pair_echo, 100);
    call_init(p, &c.call, "POST", "/first");
    c.call.http.done = again;
    start(p, &c);
    assert_int_equal(p->done, 0);
    p->want = 50;
    pair_run(p, pair_calls_done);
    assert_int_equal(p->handled, 50);
}

static void a_bad_url_too_ends_on_the_loop(void **state)
{
    struct pair *p = *state;
    struct pair_call c;
    call_init(p, &c, "GET", "/");
    c.http.url = "";
    http_client_start(p->client, &c.http);
    assert_int_equal(p->done, 0);
    p->want = 1;
    pair_run(p, pair_calls_done);
    assert_int_equal(c.http.result, HTTP_NO_CONNECT);
    http_call_clear(&c.http);
}

static void never(struct http_call *c)
{
    (void)c;
    fail_msg("done was called for a cancelled call");
}

static void cancelled_calls_do_not_come_back(void **state)
{
    struct pair *p = *state;
    struct pair_call at_once, held, twice = {0};
    pair_open(p, pair_hold, 100);
    call_init(p, &at_once, "GET", "/1");
    at_once.http.done = never;
    http_client_start(p->client, &at_once.http);
    http_client_cancel(p->client, &at_once.http);
    http_client_cancel(p->client, &at_once.http);
    http_client_cancel(p->client, &twice.http);
    call_init(p, &held, "GET", "/2");
    held.http.done = never;
    http_client_start(p->client, &held.http);
    pair_hold_until(p, 1);
    http_client_cancel(p->client, &held.http);
    pair_run(p, pair_has_run);
    assert_int_equal(p->handled, 1);
    http_reply(pair_release(p), 200, NULL, 0, SLICE("for nobody"));
    pair_run(p, pair_has_run);
    http_call_clear(&held.http);
    http_call_clear(&at_once.http);
}

/* Both answers are there in the same turn: the first one's end cancels the second, which has ended
 * already but was not told yet. */
static struct pair_call *connecting;
static struct pair *connecting_in;

static void cancel_connecting(struct timer *t)
{
    (void)t;
    http_client_cancel(connecting_in->client, &connecting->http);
}

/* curl 7.88 closes a socket that is not connected yet without a word; a watch that stayed on it
 * would end the process at the next descriptor. */
static void a_call_may_be_cancelled_while_it_connects(void **state)
{
    struct pair *p = *state;
    struct pair_call first, second;
    struct timer soon = {.fire = cancel_connecting};
    pair_open(p, pair_echo, 100);
    call_init(p, &first, "GET", "/1");
    first.http.done = never;
    connecting = &first;
    connecting_in = p;
    http_client_start(p->client, &first.http);
    timer_start(p->loop, &soon, 0);
    call_init(p, &second, "GET", "/2");
    http_client_start(p->client, &second.http);
    p->want = 1;
    pair_run(p, pair_calls_done);
    assert_int_equal(second.http.result, HTTP_DONE);
    http_call_clear(&first.http);
    http_call_clear(&second.http);
}

static void a_call_that_has_ended_can_still_be_cancelled(void **state)
{
    struct pair *p = *state;
    struct chain a = {.left = 1}, b = {.left = 1, .cancels = &a};
    a.cancels = &b;
    pair_open(p, pair_hold, 100);
    call_init(p, &a.call, "GET", "/a");
    call_init(p, &b.call, "GET", "/b");
    a.call.http.done = b.call.http.done = again;
    start(p, &a);
    start(p, &b);
    pair_hold_until(p, 2);
    while (p->n_held > 0)
        http_reply(pair_release(p), 200, NULL, 0, SLICE("answer"));
    p->want = 1;
    pair_run(p, pair_calls_done);
    pair_run(p, pair_has_run);
    assert_int_equal(p->done, 1);
    http_call_clear(&a.call.http);
    http_call_clear(&b.call.http);
}

static void free_client(struct http_call *c)
{
    struct pair *p = container_of(c, struct pair_call, http)->pair;
    http_client_free(p->client);
    p->client = NULL;
    p->done++;
}

static void the_client_may_be_freed_with_calls_out_even_in_done(void **state)
{
    struct pair *p = *state;
    struct pair_call c[4];
    pair_open(p, pair_hold, 100);
    for (size_t i = 0; i < ARRAY_LEN(c); i++) {
        call_init(p, &c[i], "GET", "/");
        c[i].http.done = i == 0 ? free_client : never;
        http_client_start(p->client, &c[i].http);
    }
    pair_hold_until(p, ARRAY_LEN(c));
    http_reply(pair_release(p), 200, NULL, 0, SLICE("x"));
    p->want = 1;
    pair_run(p, pair_calls_done);
    while (p->n_held > 0)
        http_reply(pair_release(p), 200, NULL, 0, SLICE_NONE);
    for (size_t i = 0; i < ARRAY_LEN(c); i++) {
        assert_null(c[i].http.impl);
        http_call_clear(&c[i].http);
    }
}

static void more_calls_than_connections_all_come_back(void **state)
{
    struct pair *p = *state;
    enum { N = 700 };
    struct pair_call *c = calloc(N, sizeof *c);
    pair_open(p, pair_echo, 100);
    for (size_t i = 0; i < N; i++) {
        call_init(p, &c[i], "POST", "/");
        c[i].http.body = SLICE("x");
        http_client_start(p->client, &c[i].http);
    }
    p->want = N;
    pair_run(p, pair_calls_done);
    for (size_t i = 0; i < N; i++) {
        assert_int_equal(c[i].http.result, HTTP_DONE);
        http_call_clear(&c[i].http);
    }
    assert_int_equal(p->handled, N);
    free(c);
}

static void names_are_resolved_beside_the_loop(void **state)
{
    struct pair *p = *state;
    struct pair_call c;
    pair_open(p, pair_echo, 100);
    call_init(p, &c, "GET", "/");
    snprintf(c.url, sizeof c.url, "http://localhost:%u/", http_listener_port(p->listener));
    call_run(p, &c);
    assert_int_equal(c.http.result, HTTP_DONE);
    http_call_clear(&c.http);
    call_init(p, &c, "GET", "/");
    snprintf(c.url, sizeof c.url, "http://penstock-test.invalid/");
    int64_t before = loop_clock_us(p->loop);
    http_client_start(p->client, &c.http);
    pair_run(p, pair_has_run);
    http_client_cancel(p->client, &c.http); /* waits for no resolver */
    assert_true(loop_clock_us(p->loop) - before < 2000000);
    http_call_clear(&c.http);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PAIR(a_call_may_be_started_where_another_ended),
        PAIR(a_bad_url_too_ends_on_the_loop),
        PAIR(cancelled_calls_do_not_come_back),
        PAIR(a_call_may_be_cancelled_while_it_connects),
        PAIR(a_call_that_has_ended_can_still_be_cancelled),
        PAIR(the_client_may_be_freed_with_calls_out_even_in_done),
        PAIR(more_calls_than_connections_all_come_back),
        PAIR(names_are_resolved_beside_the_loop),
    };
    return cmocka_run_group_tests_name("http_calls", tests, NULL, NULL);
}
