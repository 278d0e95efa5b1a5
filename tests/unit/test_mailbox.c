/* test_mailbox.c - order, waking and emptiness of the mailbox, alone and between threads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "io/mailbox.h"
#include <poll.h>
#include <pthread.h>
#include <time.h>

struct letter {
    struct list node;
    int from, n;
};

static int setup(void **state)
{
    struct error err;
    *state = mailbox_new(&err);
    return *state == NULL;
}

static int teardown(void **state)
{
    mailbox_free(*state);
    return 0;
}

static bool readable(const struct mailbox *m)
{
    struct pollfd p = {.fd = mailbox_fd(m), .events = POLLIN};
    return poll(&p, 1, 0) == 1;
}

static struct letter *first(struct list *l)
{
    struct letter *it = container_of(l->next, struct letter, node);
    list_remove(&it->node);
    return it;
}

static void taking_takes_all_in_order(void **state)
{
    struct mailbox *m = *state;
    struct letter letters[6] = {0};
    struct list out, many;
    list_init(&out);
    list_init(&many);
    for (int i = 0; i < 6; i++)
        letters[i].n = i;
    mailbox_post(m, &letters[0].node);
    mailbox_take(m, &out);
    mailbox_post(m, &letters[1].node);
    for (int i = 2; i < 5; i++)
        list_append(&many, &letters[i].node);
    mailbox_post_all(m, &many);
    assert_true(list_empty(&many));
    mailbox_post_all(m, &many);
    mailbox_post(m, &letters[5].node);
    mailbox_take(m, &out); /* behind what is there already */
    for (int i = 0; i < 6; i++)
        assert_int_equal(first(&out)->n, i);
    assert_true(list_empty(&out));
}

static void readable_exactly_while_something_is_there(void **state)
{
    struct mailbox *m = *state;
    struct letter a = {0}, b = {0};
    struct list out, none;
    list_init(&out);
    list_init(&none);
    assert_false(readable(m));
    mailbox_post_all(m, &none);
    assert_false(readable(m));
    mailbox_post(m, &a.node);
    assert_true(readable(m));
    mailbox_post(m, &b.node);
    assert_true(readable(m));
    mailbox_take(m, &out);
    assert_false(readable(m));
    mailbox_take(m, &out);
    assert_false(readable(m));
}

static int64_t now_ms(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void waiting_ends_by_time_or_at_once(void **state)
{
    struct mailbox *m = *state;
    struct letter a = {0};
    struct list out;
    list_init(&out);
    int64_t begin = now_ms();
    mailbox_wait(m, 30);
    assert_in_range(now_ms() - begin, 29, 10000);
    mailbox_post(m, &a.node);
    mailbox_wait(m, -1); /* a hang is the failure */
    mailbox_take(m, &out);
}

enum { SENDERS = 3, LETTERS = 20000 };

struct sender {
    struct mailbox *to;
    struct letter *letters;
};

static void *send_all(void *arg)
{
    struct sender *s = arg;
    for (int i = 0; i < LETTERS; i++)
        mailbox_post(s->to, &s->letters[i].node);
    return NULL;
}

static void nothing_is_lost_between_threads(void **state)
{
    struct mailbox *m = *state;
    static struct letter letters[SENDERS][LETTERS];
    pthread_t ids[SENDERS];
    struct sender senders[SENDERS];
    for (int from = 0; from < SENDERS; from++) {
        for (int i = 0; i < LETTERS; i++)
            letters[from][i] = (struct letter){.from = from, .n = i};
        senders[from] = (struct sender){m, letters[from]};
        assert_int_equal(pthread_create(&ids[from], NULL, send_all, &senders[from]), 0);
    }
    int got[SENDERS] = {0}, sum = 0;
    struct list out;
    list_init(&out);
    while (sum < SENDERS * LETTERS) {
        mailbox_wait(m, -1);
        mailbox_take(m, &out);
        for (; !list_empty(&out); sum++) {
            struct letter *l = first(&out);
            assert_int_equal(l->n, got[l->from]++);
        }
    }
    for (int from = 0; from < SENDERS; from++)
        pthread_join(ids[from], NULL);
    assert_false(readable(m));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(taking_takes_all_in_order, setup, teardown),
        cmocka_unit_test_setup_teardown(readable_exactly_while_something_is_there, setup, teardown),
        cmocka_unit_test_setup_teardown(waiting_ends_by_time_or_at_once, setup, teardown),
        cmocka_unit_test_setup_teardown(nothing_is_lost_between_threads, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
