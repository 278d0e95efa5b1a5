/* sqs_list.c - finding queues: GetQueueUrl, ListQueues, ListDeadLetterSourceQueues. */
#include "api/sqs_address.h"
#include "api/sqs_in.h"
#include "api/sqs_ops.h"
#include "base/base64.h"
#include <string.h>

enum { RESULTS_MAX = 1000, TOKEN_MAX = 256 };

void sqs_list_url(struct sqs_call *c)
{
    struct slice name, owner;
    struct sqs_out out;
    bool ok = sqs_in_text(c, c->root, "QueueName", &name) &&
              sqs_in_text(c, c->root, "QueueOwnerAWSAccountId", &owner);
    if (ok && name.n == 0)
        ok = sqs_problem_set(&c->problem, SQS_ERROR_VALUE,
                             "Value for parameter QueueName is invalid. Reason: Must specify a "
                             "queue name.");
    if (ok && owner.n > 0 && !slice_is(owner, c->api->env->account_id))
        ok = sqs_address_no_queue(c);
    if (!ok || !sqs_address_resolve_name(c, name)) {
        sqs_call_refuse(c);
        return;
    }
    sqs_call_begin(c, &out, 0);
    sqs_out_text(&out, "QueueUrl", sqs_call_url(c, c->queue));
    sqs_call_send(c, &out);
}

/* ---- pages ---- */

struct page {
    struct slice prefix;  /* ListQueues */
    const char *dead_arn; /* ListDeadLetterSourceQueues; NULL: every queue */
    struct buf after;     /* names up to this one were on earlier pages */
    size_t max;
    bool tokens; /* without MaxResults there is one page */
};

/* A token is the last name of the page before. */
static bool read_token(struct sqs_call *c, struct page *p)
{
    struct slice token;
    buf_init(&p->after, TOKEN_MAX);
    if (!sqs_in_text(c, c->root, "NextToken", &token))
        return false;
    return token.n == 0 ||
           (token.n <= TOKEN_MAX && base64_decode(&p->after, token) && p->after.n > 0) ||
           sqs_problem_set(&c->problem, SQS_ERROR_VALUE, "Invalid or expired next token.");
}

static bool read_page(struct sqs_call *c, struct page *p)
{
    int64_t max = 0;
    p->prefix = SLICE_NONE;
    if (!read_token(c, p) || !sqs_in_int(c, c->root, "MaxResults", &max))
        return false;
    if (max < 0 || max > RESULTS_MAX)
        return sqs_problem_set(&c->problem, SQS_ERROR_VALUE,
                               "Value for parameter MaxResults is invalid. Reason: MaxResults must "
                               "be an integer between 1 and 1000.");
    p->tokens = max > 0;
    p->max = max > 0 ? (size_t)max : RESULTS_MAX;
    return true;
}

static const struct queue *next(struct sqs_call *c, const struct page *p, struct queue **at)
{
    while ((*at = queues_next(c->api->queues, *at, p->prefix)) != NULL) {
        const char *dead = queue_settings(*at)->dead_arn;
        if (p->after.n > 0 && strcmp(queue_name(*at), p->after.p) <= 0)
            continue;
        if (p->dead_arn == NULL || (dead != NULL && strcmp(dead, p->dead_arn) == 0))
            return *at;
    }
    return NULL;
}

static void write_token(struct sqs_out *o, const char *last)
{
    struct buf token;
    buf_init(&token, TOKEN_MAX);
    base64_encode(&token, slice_of(last));
    sqs_out_text(o, "NextToken", buf_slice(&token));
    buf_free(&token);
}

/* member: the list's name in JSON; always: even when it is empty. */
static void answer_page(struct sqs_call *c, const struct page *p, const char *member, bool always)
{
    struct sqs_out out;
    struct queue *at = NULL;
    const struct queue *q = next(c, p, &at), *last = NULL;
    sqs_call_begin(c, &out, 1024);
    if (q != NULL || always) {
        sqs_out_list(&out, member, "QueueUrl");
        for (size_t n = 0; q != NULL && n < p->max; n++, q = next(c, p, &at)) {
            sqs_out_item_text(&out, sqs_call_url(c, q));
            last = q;
        }
        sqs_out_list_end(&out);
    }
    if (q != NULL && p->tokens)
        write_token(&out, queue_name(last));
    sqs_call_send(c, &out);
}

void sqs_list_queues(struct sqs_call *c)
{
    struct page p = {.dead_arn = NULL};
    bool ok = read_page(c, &p) && sqs_in_text(c, c->root, "QueueNamePrefix", &p.prefix);
    if (p.prefix.n == 0)
        p.prefix = SLICE_NONE;
    if (ok)
        answer_page(c, &p, "QueueUrls", false);
    else
        sqs_call_refuse(c);
    buf_free(&p.after);
}

void sqs_list_dead_sources(struct sqs_call *c)
{
    struct page p = {.dead_arn = queue_arn(c->queue)};
    if (read_page(c, &p))
        answer_page(c, &p, "queueUrls", true);
    else
        sqs_call_refuse(c);
    buf_free(&p.after);
}
