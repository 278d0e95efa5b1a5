/* cli_queue_show.c - `penstock queue list` and `peek`: what queues hold, without touching it. */
#include "gateway/cli_queue.h"

#include "base/mem.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { LIST_PAGE = 1000, BODY_WIDTH = 200 };

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Numbers of the SQS API are texts. */
static int64_t number(const struct json *object, const char *name)
{
    int64_t value = 0;
    const struct json *member = json_get(object, name);
    if (!json_int(member, &value) && !slice_int(json_text(member), &value))
        value = 0;
    return value;
}

static int64_t since(int64_t unix_ms)
{
    int64_t age = now_ms() - unix_ms;
    return age > 0 ? age : 0;
}

static bool peek(struct queue_cli *q, const char *name, int64_t most, struct queue_answer *a)
{
    struct buf path;
    char query[32];
    buf_init(&path, QUEUE_CLI_TEXT_MAX);
    buf_str(&path, "/_penstock/queues/");
    cli_percent_encode(&path, name);
    buf_str(&path, "/peek");
    snprintf(query, sizeof query, "max=%" PRId64, most);
    bool ok = queue_cli_get(q, path.p, query, a);
    buf_free(&path);
    return ok;
}

/* ---- list ---- */

struct row {
    char *name, *dead; /* dead: NULL without a redrive policy */
    int64_t visible, in_flight, delayed, oldest_ms, max_receives;
};

struct rows {
    struct row *v;
    size_t n, cap;
};

/* What is behind the last colon of an ARN, or the last slash of a URL. */
static struct slice last_part(struct slice s, char sep)
{
    const char *mark = s.n > 0 ? memrchr(s.p, sep, s.n) : NULL;
    return mark == NULL ? s : slice_from(s, (size_t)(mark - s.p) + 1);
}

static void read_attributes(struct row *r, const struct json *attributes)
{
    r->visible = number(attributes, "ApproximateNumberOfMessages");
    r->in_flight = number(attributes, "ApproximateNumberOfMessagesNotVisible");
    r->delayed = number(attributes, "ApproximateNumberOfMessagesDelayed");
    struct slice policy = json_text(json_get(attributes, "RedrivePolicy"));
    struct json *redrive = json_parse(policy, QUEUE_CLI_TEXT_MAX, NULL);
    struct slice dead = json_text(json_get(redrive, "deadLetterTargetArn"));
    if (dead.n > 0)
        r->dead = slice_dup(last_part(dead, ':'));
    r->max_receives = number(redrive, "maxReceiveCount");
    json_free(redrive);
}

static bool ask_attributes(struct queue_cli *q, struct row *r, struct slice url)
{
    struct buf body;
    struct json_out json;
    struct queue_answer a;
    buf_init(&body, QUEUE_CLI_TEXT_MAX);
    json_out_init(&json, &body);
    json_object(&json);
    json_kv_str(&json, "QueueUrl", url);
    json_key(&json, "AttributeNames");
    json_array(&json);
    json_cstr(&json, "All");
    json_end(&json);
    json_end(&json);
    bool ok = queue_cli_call(q, "GetQueueAttributes", &body, &a);
    if (ok)
        read_attributes(r, json_get(a.root, "Attributes"));
    queue_answer_free(&a);
    buf_free(&body);
    return ok;
}

/* SQS has no attribute for it: the oldest that waits is looked at. */
static void ask_oldest(struct queue_cli *q, struct row *r)
{
    struct queue_answer a;
    r->oldest_ms = -1;
    if (r->visible == 0)
        return;
    bool ok = peek(q, r->name, 1, &a);
    const struct json *first = json_first(json_get(a.root, "Messages"));
    int64_t sent = number(json_get(first, "Attributes"), "SentTimestamp");
    if (ok && sent > 0)
        r->oldest_ms = since(sent);
    queue_answer_free(&a);
}

static void free_row(struct row *r)
{
    free(r->name);
    free(r->dead);
}

/* A queue that was deleted since its name came is left out. */
static void add_row(struct queue_cli *q, struct rows *rows, struct slice url)
{
    struct row r = {.name = slice_dup(last_part(url, '/'))};
    q->lenient = true;
    bool there = ask_attributes(q, &r, url);
    if (there)
        ask_oldest(q, &r);
    q->lenient = false;
    if (!there) {
        free_row(&r);
        return;
    }
    if (rows->n == rows->cap) {
        rows->cap = rows->cap == 0 ? 16 : 2 * rows->cap;
        rows->v = mem_realloc(rows->v, rows->cap * sizeof *rows->v);
    }
    rows->v[rows->n++] = r;
}

/* One page; token is where it begins, and then where the next one does. */
static bool add_page(struct queue_cli *q, struct rows *rows, struct buf *token)
{
    struct buf body;
    struct json_out json;
    struct queue_answer a;
    buf_init(&body, QUEUE_CLI_TEXT_MAX);
    json_out_init(&json, &body);
    json_object(&json);
    json_kv_i64(&json, "MaxResults", LIST_PAGE);
    if (token->n > 0)
        json_kv_str(&json, "NextToken", buf_slice(token));
    json_end(&json);
    bool ok = queue_cli_call(q, "ListQueues", &body, &a);
    buf_clear(token);
    buf_put(token, json_text(json_get(a.root, "NextToken")));
    for (const struct json *it = json_first(json_get(a.root, "QueueUrls"));
         ok && it != NULL && q->code == CLI_OK; it = json_after(it))
        add_row(q, rows, json_text(it));
    queue_answer_free(&a);
    buf_free(&body);
    return ok && q->code == CLI_OK;
}

static void print_rows_json(const struct rows *rows)
{
    struct buf out;
    struct json_out json;
    buf_init(&out, 64 << 20);
    json_out_init(&json, &out);
    json_object(&json);
    json_key(&json, "Queues");
    json_array(&json);
    for (size_t i = 0; i < rows->n; i++) {
        const struct row *r = &rows->v[i];
        json_object(&json);
        json_kv_cstr(&json, "Name", r->name);
        json_kv_i64(&json, "Visible", r->visible);
        json_kv_i64(&json, "InFlight", r->in_flight);
        json_kv_i64(&json, "Delayed", r->delayed);
        json_key(&json, "OldestSeconds");
        if (r->oldest_ms < 0)
            json_null(&json);
        else
            json_double(&json, (double)r->oldest_ms / 1000);
        json_key(&json, "DeadLetterQueue");
        if (r->dead == NULL)
            json_null(&json);
        else
            json_cstr(&json, r->dead);
        if (r->dead != NULL)
            json_kv_i64(&json, "MaxReceiveCount", r->max_receives);
        json_end(&json);
    }
    json_end(&json);
    json_end(&json);
    printf("%s\n", out.p);
    buf_free(&out);
}

static void print_rows(const struct rows *rows)
{
    int width = (int)strlen("QUEUE");
    for (size_t i = 0; i < rows->n; i++)
        if ((int)strlen(rows->v[i].name) > width)
            width = (int)strlen(rows->v[i].name);
    printf("%-*s %10s %10s %10s %10s  %s\n", width, "QUEUE", "VISIBLE", "IN FLIGHT", "DELAYED",
           "OLDEST", "DEAD-LETTER QUEUE");
    for (size_t i = 0; i < rows->n; i++) {
        const struct row *r = &rows->v[i];
        char age[32];
        queue_cli_age(r->oldest_ms, age);
        printf("%-*s %10" PRId64 " %10" PRId64 " %10" PRId64 " %10s  ", width, r->name, r->visible,
               r->in_flight, r->delayed, age);
        if (r->dead == NULL)
            printf("-\n");
        else
            printf("%s, after %" PRId64 " receives\n", r->dead, r->max_receives);
    }
}

void queue_cli_list(struct queue_cli *q)
{
    struct rows rows = {.n = 0};
    struct buf token;
    bool ok;
    if (!queue_cli_operands(q))
        return;
    buf_init(&token, QUEUE_CLI_TEXT_MAX);
    do
        ok = add_page(q, &rows, &token);
    while (ok && token.n > 0);
    if (ok && q->args->json)
        print_rows_json(&rows);
    else if (ok)
        print_rows(&rows);
    for (size_t i = 0; i < rows.n; i++)
        free_row(&rows.v[i]);
    free(rows.v);
    buf_free(&token);
}

/* ---- peek ---- */

static void print_message(const struct json *message)
{
    const struct json *attributes = json_get(message, "Attributes");
    struct slice group = json_text(json_get(attributes, "MessageGroupId"));
    struct buf line;
    char age[32];
    buf_init(&line, QUEUE_CLI_TEXT_MAX);
    queue_cli_show(&line, json_text(json_get(message, "MessageId")), 100);
    queue_cli_age(since(number(attributes, "SentTimestamp")), age);
    buf_printf(&line, "  age %s  receives %" PRId64, age,
               number(attributes, "ApproximateReceiveCount"));
    if (group.n > 0) {
        buf_str(&line, "  group ");
        queue_cli_show(&line, group, 128);
    }
    buf_str(&line, "  ");
    queue_cli_show(&line, json_text(json_get(message, "Body")), BODY_WIDTH);
    printf("%s\n", line.p);
    buf_free(&line);
}

void queue_cli_peek(struct queue_cli *q)
{
    struct slice wanted = slice_of(cli_option(q->args, "-n", "--max", "10"));
    struct queue_answer a;
    int64_t most = 0;
    if (!slice_int(wanted, &most) || most < 1 || most > QUEUE_BATCH_MAX) {
        fprintf(stderr, "penstock queue: -n takes 1 to %d\n", QUEUE_BATCH_MAX);
        q->args->bad = true;
    }
    if (!queue_cli_operands(q))
        return;
    if (peek(q, q->args->argv[0], most, &a) && q->args->json)
        printf(SLICE_FMT "\n", SLICE_ARG(slice_trim(buf_slice(&a.http.response))));
    else if (q->code == CLI_OK)
        for (const struct json *it = json_first(json_get(a.root, "Messages")); it != NULL;
             it = json_after(it))
            print_message(it);
    queue_answer_free(&a);
}
