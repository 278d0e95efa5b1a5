/* cli_queue_change.c - `penstock queue send`, `purge` and `redrive`: what changes a queue. */
#include "base/utf8.h"
#include "gateway/cli_queue.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { SEND_BODY_MAX = 2 << 20, REQUEST_MAX = 16 << 20, ATTRIBUTES_MAX = 64, POLL_MS = 200 };

/* ---- send ---- */

struct attributes {
    struct slice names[ATTRIBUTES_MAX], values[ATTRIBUTES_MAX];
    size_t n;
};

/* cli_option keeps only the last of several: each is taken by itself. */
static void take_attributes(struct cli_args *a, struct attributes *to)
{
    for (int i = 0; i + 1 < a->argc;) {
        if (strcmp(a->argv[i], "--attribute") != 0) {
            i++;
            continue;
        }
        struct slice value = slice_of(a->argv[i + 1]);
        struct slice name = slice_cut(&value, '=');
        if (to->n == ATTRIBUTES_MAX || name.n == 0 || strchr(a->argv[i + 1], '=') == NULL) {
            fprintf(stderr, "penstock queue: '%s' is not NAME=VALUE\n", a->argv[i + 1]);
            a->bad = true;
            return;
        }
        to->names[to->n] = name;
        to->values[to->n++] = value;
        memmove(a->argv + i, a->argv + i + 2, (size_t)(a->argc - i - 2) * sizeof *a->argv);
        a->argc -= 2;
    }
}

static void write_attributes(struct json_out *json, const struct attributes *a)
{
    if (a->n == 0)
        return;
    json_key(json, "MessageAttributes");
    json_object(json);
    for (size_t i = 0; i < a->n; i++) {
        json_key_slice(json, a->names[i]);
        json_object(json);
        json_kv_cstr(json, "DataType", "String");
        json_kv_str(json, "StringValue", a->values[i]);
        json_end(json);
    }
    json_end(json);
}

struct message {
    struct buf body;
    const char *group, *dedup, *delay, *file;
    int64_t delay_s;
    struct attributes attributes;
};

static void send_message(struct queue_cli *q, const struct message *m)
{
    struct buf request;
    struct json_out json;
    struct queue_answer a = {.root = NULL};
    buf_init(&request, REQUEST_MAX);
    bool ok = queue_cli_body(q, q->args->argv[0], &request, &json);
    if (ok) {
        json_kv_str(&json, "MessageBody", buf_slice(&m->body));
        if (m->group != NULL)
            json_kv_cstr(&json, "MessageGroupId", m->group);
        if (m->dedup != NULL)
            json_kv_cstr(&json, "MessageDeduplicationId", m->dedup);
        if (m->delay != NULL)
            json_kv_i64(&json, "DelaySeconds", m->delay_s);
        write_attributes(&json, &m->attributes);
        json_end(&json);
        ok = queue_cli_call(q, "SendMessage", &request, &a);
    }
    if (ok && q->args->json)
        printf(SLICE_FMT "\n", SLICE_ARG(slice_trim(buf_slice(&a.http.response))));
    else if (ok)
        printf(SLICE_FMT "\n", SLICE_ARG(json_text(json_get(a.root, "MessageId"))));
    queue_answer_free(&a);
    buf_free(&request);
}

static bool take_message(struct queue_cli *q, struct message *m)
{
    struct cli_args *a = q->args;
    m->group = cli_option(a, NULL, "--group", NULL);
    m->dedup = cli_option(a, NULL, "--dedup", NULL);
    m->delay = cli_option(a, NULL, "--delay", NULL);
    m->file = cli_option(a, "-e", "--event", NULL);
    take_attributes(a, &m->attributes);
    if (m->delay != NULL && !slice_int(slice_of(m->delay), &m->delay_s)) {
        fprintf(stderr, "penstock queue: --delay takes whole seconds\n");
        a->bad = true;
    }
    if (!a->bad && a->argc > 0 && (a->argc == 2) == (m->file != NULL)) {
        fprintf(stderr, "penstock queue: a message is either BODY or -e FILE\n");
        a->bad = true;
    }
    if (!queue_cli_operands(q))
        return false;
    bool ok = m->file != NULL ? cli_read(m->file, SEND_BODY_MAX, &m->body)
                              : buf_str(&m->body, a->argv[1]);
    if (ok && !utf8_valid(buf_slice(&m->body))) {
        fprintf(stderr, "penstock queue: the message is not UTF-8 text\n");
        ok = false;
    }
    if (!ok)
        q->code = CLI_USAGE;
    return ok;
}

void queue_cli_send(struct queue_cli *q)
{
    struct message m = {.delay_s = 0};
    buf_init(&m.body, SEND_BODY_MAX);
    if (take_message(q, &m))
        send_message(q, &m);
    buf_free(&m.body);
}

/* ---- purge ---- */

void queue_cli_purge(struct queue_cli *q)
{
    struct buf request;
    struct json_out json;
    struct queue_answer a = {.root = NULL};
    if (!queue_cli_operands(q))
        return;
    buf_init(&request, REQUEST_MAX);
    bool ok = queue_cli_body(q, q->args->argv[0], &request, &json);
    if (ok) {
        json_end(&json);
        ok = queue_cli_call(q, "PurgeQueue", &request, &a);
    }
    if (ok && q->args->json)
        printf("{}\n");
    else if (ok)
        printf("%s is empty\n", q->args->argv[0]);
    queue_answer_free(&a);
    buf_free(&request);
}

/* ---- redrive ---- */

struct redrive {
    const char *to, *rate;
    int64_t rate_n;
    struct buf source, destination; /* ARNs */
    bool terminal;
};

static bool start_move(struct queue_cli *q, const struct redrive *r)
{
    struct buf request;
    struct json_out json;
    struct queue_answer a;
    buf_init(&request, REQUEST_MAX);
    json_out_init(&json, &request);
    json_object(&json);
    json_kv_str(&json, "SourceArn", buf_slice(&r->source));
    if (r->to != NULL)
        json_kv_str(&json, "DestinationArn", buf_slice(&r->destination));
    if (r->rate != NULL)
        json_kv_i64(&json, "MaxNumberOfMessagesPerSecond", r->rate_n);
    json_end(&json);
    bool ok = queue_cli_call(q, "StartMessageMoveTask", &request, &a);
    queue_answer_free(&a);
    buf_free(&request);
    return ok;
}

static bool ask_move(struct queue_cli *q, const struct redrive *r, struct queue_answer *a)
{
    struct buf request;
    struct json_out json;
    buf_init(&request, REQUEST_MAX);
    json_out_init(&json, &request);
    json_object(&json);
    json_kv_str(&json, "SourceArn", buf_slice(&r->source));
    json_kv_i64(&json, "MaxResults", 1);
    json_end(&json);
    bool ok = queue_cli_call(q, "ListMessageMoveTasks", &request, a);
    buf_free(&request);
    return ok;
}

static int64_t count(const struct json *task, const char *name)
{
    int64_t n = 0;
    return json_int(json_get(task, name), &n) ? n : 0;
}

static void tell_end(struct queue_cli *q, const struct json *task)
{
    struct slice state = json_text(json_get(task, "Status"));
    int64_t moved = count(task, "ApproximateNumberOfMessagesMoved");
    struct slice why = json_text(json_get(task, "FailureReason"));
    bool ok = slice_is(state, "COMPLETED");
    if (q->args->json)
        printf("{\"Status\":\"" SLICE_FMT "\",\"ApproximateNumberOfMessagesMoved\":%" PRId64 "}\n",
               SLICE_ARG(state), moved);
    else if (ok)
        printf("%" PRId64 " moved\n", moved);
    if (!ok) {
        fprintf(stderr,
                "penstock queue: redrive: " SLICE_FMT " after %" PRId64 " messages%s" SLICE_FMT
                "\n",
                SLICE_ARG(state), moved, why.n > 0 ? ": " : "", SLICE_ARG(why));
        q->code = CLI_FUNCTION_ERROR;
    }
}

/* One look at the task; true: it runs on. */
static bool runs_on(struct queue_cli *q, const struct redrive *r)
{
    struct queue_answer a;
    bool more = false;
    if (ask_move(q, r, &a)) {
        const struct json *task = json_first(json_get(a.root, "Results"));
        struct slice state = json_text(json_get(task, "Status"));
        more = slice_is(state, "RUNNING") || slice_is(state, "CANCELLING");
        if (r->terminal)
            fprintf(stderr, "\r%" PRId64 " of %" PRId64 " moved%s",
                    count(task, "ApproximateNumberOfMessagesMoved"),
                    count(task, "ApproximateNumberOfMessagesToMove"), more ? "" : "\n");
        if (!more)
            tell_end(q, task);
    }
    queue_answer_free(&a);
    return more;
}

static void redrive(struct queue_cli *q, struct redrive *r)
{
    static const struct timespec pause = {.tv_nsec = POLL_MS * 1000000L};
    if (!queue_cli_arn(q, q->args->argv[0], &r->source) ||
        (r->to != NULL && !queue_cli_arn(q, r->to, &r->destination)) || !start_move(q, r))
        return;
    r->terminal = isatty(STDERR_FILENO) == 1 && !q->args->json;
    while (runs_on(q, r))
        nanosleep(&pause, NULL);
}

void queue_cli_redrive(struct queue_cli *q)
{
    struct redrive r = {.to = cli_option(q->args, NULL, "--to", NULL)};
    r.rate = cli_option(q->args, NULL, "--rate", NULL);
    if (r.rate != NULL && !slice_int(slice_of(r.rate), &r.rate_n)) {
        fprintf(stderr, "penstock queue: --rate takes whole messages per second\n");
        q->args->bad = true;
    }
    if (!queue_cli_operands(q))
        return;
    buf_init(&r.source, QUEUE_CLI_TEXT_MAX);
    buf_init(&r.destination, QUEUE_CLI_TEXT_MAX);
    redrive(q, &r);
    buf_free(&r.source);
    buf_free(&r.destination);
}
