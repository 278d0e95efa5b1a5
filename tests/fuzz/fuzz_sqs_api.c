/* fuzz_sqs_api.c - SQS requests of both protocols, as far as they are read before a queue sees
 * them: never a crash, never a read beyond the end, and a form becomes a document that is JSON.
 * First byte: what the rest is. */
#include "api/sqs_address.h"
#include "api/sqs_attributes.h"
#include "api/sqs_batch.h"
#include "api/sqs_form.h"
#include "api/sqs_post.h"
#include "api/sqs_redrive.h"
#include "api/sqs_select.h"
#include "api/sqs_tags.h"
#include <stdlib.h>
#include <string.h>

enum { DOCUMENT_MAX = 16 << 20 };

static const struct queue_settings standard = {.max_bytes = 1 << 20};
static const struct queue_settings fifo = {.max_bytes = 1024, .fifo = true};

static void read_post(struct sqs_call *c, const struct json *object)
{
    const struct queue_settings *const queues[] = {&standard, &fifo};
    for (size_t i = 0; i < ARRAY_LEN(queues); i++) {
        struct sqs_post p;
        size_t at;
        if (sqs_post_read(c, object, &p) && sqs_post_check(c, &p, queues[i], "MessageBody")) {
            if (p.attributes.n > 0 && !json_valid(p.attributes, &at))
                abort();
            if (p.body.n == 0 || p.bytes > (size_t)queues[i]->max_bytes)
                abort();
        } else if (c->problem.text == NULL && p.problem.text == NULL) {
            abort();
        }
        sqs_problem_clear(&p.problem);
        sqs_problem_clear(&c->problem);
    }
}

static void read_attributes(struct sqs_call *c, const struct json *map)
{
    static const struct option_map none;
    struct queue_settings s;
    struct option_map tags;
    struct slice policy = json_text(json_get(map, "RedrivePolicy"));
    sqs_attributes_defaults(&s, false);
    /* a policy that is well-formed so far asks for the queues, which there are none of here */
    if (policy.n > 0 && memmem(policy.p, policy.n, "arn:aws:sqs:", 12) != NULL)
        return;
    if (!sqs_attributes_apply(c, map, SLICE("q"), &s) && c->problem.text == NULL)
        abort();
    sqs_problem_clear(&c->problem);
    if (sqs_tags_merge(c, &none, map, "q", &tags) && tags.n > SQS_TAGS_MAX)
        abort();
    sqs_problem_clear(&c->problem);
}

/* Everything that one request may hold. */
static void read_request(struct sqs_call *c)
{
    struct sqs_batch batch;
    struct sqs_select select;
    const struct json *map;
    read_post(c, c->root);
    if (sqs_batch_read(c, "Entry", &batch))
        for (size_t i = 0; i < batch.n; i++)
            read_post(c, batch.entries[i]);
    sqs_problem_clear(&c->problem);
    if (!sqs_select_read(c, &select) && c->problem.text == NULL)
        abort();
    sqs_problem_clear(&c->problem);
    if (sqs_in_map(c, c->root, "Attributes", &map))
        read_attributes(c, map);
    sqs_problem_clear(&c->problem);
}

static void read_document(struct slice text)
{
    struct sqs_call c = {.query = false};
    arena_init(&c.arena);
    c.root = json_parse(text, DOCUMENT_MAX, NULL);
    if (json_type(c.root) == JSON_OBJECT)
        read_request(&c);
    json_free(c.root);
    arena_free(&c.arena);
}

static void read_form(struct slice text)
{
    struct sqs_form form;
    struct buf out;
    size_t at;
    buf_init(&out, DOCUMENT_MAX);
    if (sqs_form_read(&form, SLICE_NONE, text)) {
        sqs_form_json(&form, &out);
        if (!out.full && !json_valid(buf_slice(&out), &at))
            abort();
        read_document(buf_slice(&out));
    }
    sqs_form_free(&form);
    buf_free(&out);
}

static void read_policies(struct slice text)
{
    struct sqs_call c = {.query = false};
    struct queue_settings s = standard;
    arena_init(&c.arena);
    if (sqs_redrive_read_allow(&c, text, &s) != (c.problem.text == NULL))
        abort();
    sqs_problem_clear(&c.problem);
    (void)sqs_address_is_arn(text);
    (void)sqs_address_is_path(text);
    arena_free(&c.arena);
}

static void write_xml(struct slice text)
{
    struct buf out;
    buf_init(&out, DOCUMENT_MAX);
    sqs_out_escape(&out, text);
    if (memchr(out.p, '<', out.n) != NULL || memchr(out.p, '\r', out.n) != NULL)
        abort();
    buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static void (*const readers[])(struct slice) = {read_document, read_form, read_policies,
                                                    write_xml};
    if (n == 0)
        return 0;
    char *copy = malloc(n); /* exactly as long, so that a byte too far is seen */
    memcpy(copy, data + 1, n - 1);
    readers[data[0] % ARRAY_LEN(readers)]((struct slice){copy, n - 1});
    free(copy);
    return 0;
}
