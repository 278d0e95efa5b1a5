/* sqs_fake_call.h - a request to the fake queue, read from either protocol. */
#ifndef TESTS_UNIT_SQS_FAKE_CALL_H
#define TESTS_UNIT_SQS_FAKE_CALL_H

#include "base/json_in.h"
#include "base/mem.h"
#include "io/http_server.h"
#include "io/sqs_wire.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FAKE_OPS = SQS_GET_ATTRIBUTES + 1 };

/* A request as both protocols have it. */
struct fake_call {
    enum sqs_op op;
    bool json;
    int64_t max, wait_s, visibility_s;
    struct slice name;
    size_t n;
    char receipts[SQS_BATCH_MAX][64];
    int64_t seconds[SQS_BATCH_MAX];
    struct http_request *req; /* that waits for messages */
    struct list node;
    int64_t until_ms;
    struct json *tree;
};

static inline bool fake_read_json(struct fake_call *c, struct slice target, struct slice body)
{
    for (int op = 0; op < FAKE_OPS; op++)
        if (slice_is(slice_from(target, strlen("AmazonSQS.")), sqs_wire_op_name((enum sqs_op)op)))
            c->op = (enum sqs_op)op;
    c->json = true;
    c->tree = json_parse(body, 1 << 20, NULL);
    if (!c->tree)
        return false;
    c->max = c->wait_s = 0;
    c->visibility_s = -1;
    json_int(json_get(c->tree, "MaxNumberOfMessages"), &c->max);
    json_int(json_get(c->tree, "WaitTimeSeconds"), &c->wait_s);
    json_int(json_get(c->tree, "VisibilityTimeout"), &c->visibility_s);
    const struct json *e = json_first(json_get(c->tree, "Entries"));
    for (; e && c->n < SQS_BATCH_MAX; e = json_after(e), c->n++) {
        snprintf(c->receipts[c->n], sizeof c->receipts[0], "%s",
                 json_text(json_get(e, "ReceiptHandle")).p);
        json_int(json_get(e, "VisibilityTimeout"), &c->seconds[c->n]);
    }
    return true;
}

static inline bool fake_form(struct slice body, const char *name, char *out, size_t n)
{
    struct buf text;
    buf_init(&text, 4096);
    bool found = http_query_get(body, name, &text);
    snprintf(out, n, "%s", found && text.n ? text.p : "");
    buf_free(&text);
    return found;
}

static inline void fake_read_form(struct fake_call *c, struct slice body)
{
    char text[64], name[96];
    fake_form(body, "Action", text, sizeof text);
    for (int op = 0; op < FAKE_OPS; op++)
        if (strcmp(text, sqs_wire_op_name((enum sqs_op)op)) == 0)
            c->op = (enum sqs_op)op;
    c->max =
        fake_form(body, "MaxNumberOfMessages", text, sizeof text) ? strtoll(text, NULL, 10) : 1;
    c->wait_s = fake_form(body, "WaitTimeSeconds", text, sizeof text) ? strtoll(text, NULL, 10) : 0;
    c->visibility_s = -1;
    const char *entry = c->op == SQS_DELETE_BATCH ? "DeleteMessageBatchRequestEntry"
                                                  : "ChangeMessageVisibilityBatchRequestEntry";
    for (; c->n < SQS_BATCH_MAX; c->n++) {
        snprintf(name, sizeof name, "%s.%zu.ReceiptHandle", entry, c->n + 1);
        if (!fake_form(body, name, c->receipts[c->n], sizeof c->receipts[0]))
            break;
        snprintf(name, sizeof name, "%s.%zu.VisibilityTimeout", entry, c->n + 1);
        fake_form(body, name, text, sizeof text);
        c->seconds[c->n] = strtoll(text, NULL, 10);
    }
}

#endif
