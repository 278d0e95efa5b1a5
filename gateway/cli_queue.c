/* cli_queue.c - `penstock queue`: finds its subcommand, and speaks the SQS API for all of them. */
#include "gateway/cli_queue.h"

#include "base/utf8.h"
#include <stdio.h>
#include <string.h>

enum { ANSWER_MAX = 64 << 20, CALL_MS = 60 * 1000, ERROR_MAX = 2000 };

static const struct {
    const char *name;
    int least, most;
    const char *usage;
    void (*run)(struct queue_cli *);
} commands[] = {
    {"list", 0, 0, "queue list [--api URL] [--json]", queue_cli_list},
    {"send", 1, 2,
     "queue send NAME (BODY | -e FILE|-) [--group G] [--dedup D] [--delay SECONDS] "
     "[--attribute NAME=VALUE]… [--api URL] [--json]",
     queue_cli_send},
    {"peek", 1, 1, "queue peek NAME [-n MOST] [--api URL] [--json]", queue_cli_peek},
    {"purge", 1, 1, "queue purge NAME [--api URL] [--json]", queue_cli_purge},
    {"redrive", 1, 1,
     "queue redrive DEAD-LETTER-QUEUE [--to NAME] [--rate PER-SECOND] [--api URL] [--json]",
     queue_cli_redrive},
};

bool queue_cli_operands(struct queue_cli *q)
{
    bool ok = cli_operands(q->args, q->least, q->most, q->usage);
    if (!ok)
        q->code = CLI_USAGE;
    return ok;
}

/* ---- texts ---- */

void queue_cli_show(struct buf *out, struct slice text, size_t max)
{
    static const char short_forms[] = "abtnvfr"; /* from \a on */
    struct slice shown = {text.p, text.n < max ? text.n : max};
    shown.n = utf8_valid_prefix(shown);
    for (size_t i = 0; i < shown.n; i++) {
        unsigned char c = (unsigned char)shown.p[i];
        if (c >= '\a' && c <= '\r')
            buf_printf(out, "\\%c", short_forms[c - '\a']);
        else if (c < ' ' || c == 0x7f)
            buf_printf(out, "\\x%02x", (unsigned)c);
        else if (c == 0xc2 && (unsigned char)shown.p[i + 1] < 0xa0) /* C1 controls */
            buf_printf(out, "\\x%02x", (unsigned)(unsigned char)shown.p[++i]);
        else
            buf_char(out, (char)c);
    }
    if (shown.n < text.n)
        buf_str(out, "…");
}

void queue_cli_age(int64_t ms, char out[32])
{
    int64_t s = ms / 1000;
    if (ms < 0)
        snprintf(out, 32, "-");
    else if (ms < 1000)
        snprintf(out, 32, "%lld ms", (long long)ms);
    else if (s < 120)
        snprintf(out, 32, "%lld.%lld s", (long long)s, (long long)(ms % 1000 / 100));
    else if (s < 2 * 3600)
        snprintf(out, 32, "%lld min", (long long)(s / 60));
    else if (s < 2 * 86400)
        snprintf(out, 32, "%lld h", (long long)(s / 3600));
    else
        snprintf(out, 32, "%lld d", (long long)(s / 86400));
}

/* ---- calls ---- */

/* "com.amazonaws.sqs#QueueDoesNotExist" and "message", or whatever came instead. */
static void tell_error(struct queue_cli *q, const struct queue_answer *a)
{
    struct slice type = json_text(json_get(a->root, "__type"));
    struct slice text = json_text(json_get(a->root, "message"));
    const char *mark = type.n > 0 ? memchr(type.p, '#', type.n) : NULL;
    struct buf line;
    buf_init(&line, QUEUE_CLI_TEXT_MAX);
    if (mark != NULL)
        type = slice_from(type, (size_t)(mark - type.p) + 1);
    if (text.n == 0)
        text = json_text(json_get(a->root, "Message"));
    if (text.n == 0)
        text = slice_trim(buf_slice(&a->http.response));
    if (type.n > 0)
        queue_cli_show(&line, type, ERROR_MAX);
    else
        buf_printf(&line, "%s answered %d", q->api, a->http.status);
    buf_str(&line, ": ");
    queue_cli_show(&line, text, ERROR_MAX);
    fprintf(stderr, "penstock queue: %s\n", line.p);
    q->code = CLI_FUNCTION_ERROR;
    buf_free(&line);
}

static bool exchange(struct queue_cli *q, const struct cli_request *r, struct queue_answer *a)
{
    *a = (struct queue_answer){.root = NULL};
    if (q->peer == NULL)
        q->peer = cli_peer_new("queue", q->api);
    if (q->peer == NULL || !cli_call(q->peer, r, &a->http)) {
        q->code = CLI_UNREACHABLE;
        return false;
    }
    a->root = json_parse(buf_slice(&a->http.response), ANSWER_MAX, NULL);
    if (a->http.status == 200 && (a->root != NULL || a->http.response.n == 0))
        return true;
    if (!q->lenient)
        tell_error(q, a);
    return false;
}

bool queue_cli_call(struct queue_cli *q, const char *operation, const struct buf *body,
                    struct queue_answer *a)
{
    char target[96];
    const char *const headers[] = {"Content-Type: application/x-amz-json-1.0", target};
    snprintf(target, sizeof target, "X-Amz-Target: AmazonSQS.%s", operation);
    const struct cli_request request = {.method = "POST",
                                        .path = "/",
                                        .service = "sqs",
                                        .headers = headers,
                                        .n_headers = ARRAY_LEN(headers),
                                        .body = buf_slice(body),
                                        .timeout_ms = CALL_MS,
                                        .max_response_bytes = ANSWER_MAX};
    return exchange(q, &request, a);
}

bool queue_cli_get(struct queue_cli *q, const char *path, const char *query, struct queue_answer *a)
{
    const struct cli_request request = {.method = "GET",
                                        .path = path,
                                        .query = query,
                                        .service = "sqs",
                                        .timeout_ms = CALL_MS,
                                        .max_response_bytes = ANSWER_MAX};
    return exchange(q, &request, a);
}

void queue_answer_free(struct queue_answer *a)
{
    json_free(a->root);
    http_call_clear(&a->http);
}

/* ---- queues by name ---- */

static bool queue_url(struct queue_cli *q, const char *name, struct buf *out)
{
    struct buf body;
    struct json_out json;
    struct queue_answer a;
    buf_init(&body, QUEUE_CLI_TEXT_MAX);
    json_out_init(&json, &body);
    json_object(&json);
    json_kv_cstr(&json, "QueueName", name);
    json_end(&json);
    bool ok = queue_cli_call(q, "GetQueueUrl", &body, &a);
    if (ok)
        buf_put(out, json_text(json_get(a.root, "QueueUrl")));
    queue_answer_free(&a);
    buf_free(&body);
    return ok;
}

bool queue_cli_body(struct queue_cli *q, const char *name, struct buf *body, struct json_out *json)
{
    struct buf url;
    buf_init(&url, QUEUE_CLI_TEXT_MAX);
    bool ok = queue_url(q, name, &url);
    json_out_init(json, body);
    json_object(json);
    json_kv_str(json, "QueueUrl", buf_slice(&url));
    buf_free(&url);
    return ok;
}

bool queue_cli_arn(struct queue_cli *q, const char *name, struct buf *out)
{
    struct buf body;
    struct json_out json;
    struct queue_answer a = {.root = NULL};
    buf_init(&body, QUEUE_CLI_TEXT_MAX);
    bool ok = queue_cli_body(q, name, &body, &json);
    if (ok) {
        json_key(&json, "AttributeNames");
        json_array(&json);
        json_cstr(&json, "QueueArn");
        json_end(&json);
        json_end(&json);
        ok = queue_cli_call(q, "GetQueueAttributes", &body, &a);
    }
    if (ok)
        buf_put(out, json_text(json_get(json_get(a.root, "Attributes"), "QueueArn")));
    queue_answer_free(&a);
    buf_free(&body);
    return ok;
}

/* ---- the command ---- */

static int usage(void)
{
    fprintf(stderr, "usage: penstock queue list|send|peek|purge|redrive …\n");
    for (size_t i = 0; i < ARRAY_LEN(commands); i++)
        fprintf(stderr, "  penstock %s\n", commands[i].usage);
    return CLI_USAGE;
}

int cli_queue(struct cli_args *a)
{
    const char *api = cli_option(a, NULL, "--api", CLI_API);
    size_t i = 0;
    if (a->bad || a->argc < 1)
        return usage();
    while (i < ARRAY_LEN(commands) && strcmp(a->argv[0], commands[i].name) != 0)
        i++;
    if (i == ARRAY_LEN(commands)) {
        fprintf(stderr, "penstock queue: unknown command '%s'\n", a->argv[0]);
        return usage();
    }
    a->argc--;
    a->argv++;
    struct queue_cli q = {.args = a, .api = api, .code = CLI_OK};
    q.usage = commands[i].usage;
    q.least = commands[i].least;
    q.most = commands[i].most;
    commands[i].run(&q);
    cli_peer_free(q.peer);
    return q.code;
}
