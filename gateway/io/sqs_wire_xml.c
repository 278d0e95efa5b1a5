/* sqs_wire_xml.c - reads SQS answers of the query protocol: a small XML reader and what it finds.
 */
#include "base/mem.h"
#include "base/utf8.h"
#include "io/sqs_wire_read.h"
#include <stdlib.h>
#include <string.h>

enum { DEPTH_MAX = 12, NODES_MAX = 20000 };

/* An element. text: its characters, when it has no elements inside. */
struct node {
    struct slice name, text;
    struct node *child, *last, *next;
};

struct reader {
    struct slice rest;
    struct sqs_answer *answer; /* nodes live in its arena, text in its plain */
    char *out;                 /* where the next text goes */
    struct node *open[DEPTH_MAX];
    size_t depth, nodes;
    struct node *root;
};

static bool starts(const struct reader *r, const char *with)
{
    return slice_starts(r->rest, with);
}

/* Skips to behind end. */
static bool skip_to(struct reader *r, const char *end)
{
    const char *at = memmem(r->rest.p, r->rest.n, end, strlen(end));
    if (!at)
        return false;
    r->rest = slice_from(r->rest, (size_t)(at - r->rest.p) + strlen(end));
    return true;
}

/* The code point behind "&#", or 0. */
static uint32_t numeric(struct slice ref)
{
    bool hex = ref.n > 1 && (ref.p[1] == 'x' || ref.p[1] == 'X');
    uint32_t cp = 0;
    struct slice digits = slice_from(ref, hex ? 2 : 1);
    if (digits.n == 0 || digits.n > 8)
        return 0;
    for (size_t i = 0; i < digits.n; i++) {
        char c = digits.p[i], low = (char)(c | 0x20);
        if (c >= '0' && c <= '9')
            cp = cp * (hex ? 16 : 10) + (uint32_t)(c - '0');
        else if (hex && low >= 'a' && low <= 'f')
            cp = cp * 16 + (uint32_t)(low - 'a' + 10);
        else
            return 0;
        if (cp > 0x10FFFF)
            return 0;
    }
    return cp >= 0xD800 && cp < 0xE000 ? 0 : cp;
}

static uint32_t entity(struct slice ref)
{
    static const struct {
        const char *name;
        uint32_t cp;
    } known[] = {{"lt", '<'}, {"gt", '>'}, {"amp", '&'}, {"quot", '"'}, {"apos", '\''}};
    if (slice_starts(ref, "#"))
        return numeric(ref);
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (slice_is(ref, known[i].name))
            return known[i].cp;
    return 0;
}

/* A reference is never shorter than the character it stands for, so plain cannot overflow. */
static bool put_entity(struct reader *r)
{
    const char *end = memchr(r->rest.p, ';', r->rest.n < 12 ? r->rest.n : 12);
    if (!end)
        return false;
    uint32_t cp = entity((struct slice){r->rest.p + 1, (size_t)(end - r->rest.p) - 1});
    if (cp == 0)
        return false;
    struct buf one;
    buf_init(&one, 8);
    utf8_put(&one, cp);
    memcpy(r->out, one.p, one.n);
    r->out += one.n;
    buf_free(&one);
    r->rest = slice_from(r->rest, (size_t)(end - r->rest.p) + 1);
    return true;
}

static void put_plain(struct reader *r, size_t n)
{
    memcpy(r->out, r->rest.p, n);
    r->out += n;
    r->rest = slice_from(r->rest, n);
}

/* Characters and references up to the next markup. */
static bool read_text(struct reader *r)
{
    while (r->rest.n && r->rest.p[0] != '<') {
        if (r->rest.p[0] == '&') {
            if (!put_entity(r))
                return false;
            continue;
        }
        size_t n = 0;
        while (n < r->rest.n && r->rest.p[n] != '<' && r->rest.p[n] != '&')
            n++;
        put_plain(r, n);
    }
    return true;
}

static bool read_cdata(struct reader *r)
{
    r->rest = slice_from(r->rest, strlen("<![CDATA["));
    const char *end = memmem(r->rest.p, r->rest.n, "]]>", 3);
    if (!end)
        return false;
    put_plain(r, (size_t)(end - r->rest.p));
    r->rest = slice_from(r->rest, 3);
    return true;
}

static bool name_char(char c)
{
    return c != '>' && c != '/' && c != '<' && c != '=' && (unsigned char)c > ' ';
}

static struct slice read_name(struct reader *r)
{
    size_t n = 0;
    while (n < r->rest.n && name_char(r->rest.p[n]))
        n++;
    struct slice name = {r->rest.p, n};
    r->rest = slice_from(r->rest, n);
    const char *colon = n ? memchr(name.p, ':', n) : NULL;
    return colon ? slice_from(name, (size_t)(colon - name.p) + 1) : name;
}

/* Attributes say nothing that we need; quoted ones may hold '>'. */
static bool skip_attributes(struct reader *r, bool *empty)
{
    char quote = 0, before = 0;
    for (size_t i = 0; i < r->rest.n; i++) {
        char c = r->rest.p[i];
        if (quote) {
            quote = c == quote ? 0 : quote;
        } else if (c == '"' || c == '\'') {
            quote = c;
        } else if (c == '<') {
            return false;
        } else if (c == '>') {
            *empty = before == '/';
            r->rest = slice_from(r->rest, i + 1);
            return true;
        }
        before = c;
    }
    return false;
}

static void end_element(struct reader *r)
{
    struct node *n = r->open[--r->depth];
    if (!n->child)
        n->text.n = (size_t)(r->out - n->text.p);
    else
        n->text = SLICE_NONE;
}

static bool begin_element(struct reader *r)
{
    bool empty;
    r->rest = slice_from(r->rest, 1);
    struct slice name = read_name(r);
    if (name.n == 0 || r->depth == DEPTH_MAX || ++r->nodes > NODES_MAX ||
        (r->depth == 0 && r->root) || !skip_attributes(r, &empty))
        return false;
    struct node *n = arena_alloc(&r->answer->arena, sizeof *n);
    n->name = name;
    n->text = (struct slice){r->out, 0};
    if (r->depth == 0) {
        r->root = n;
    } else {
        struct node *parent = r->open[r->depth - 1];
        if (parent->last)
            parent->last->next = n;
        else
            parent->child = n;
        parent->last = n;
    }
    r->open[r->depth++] = n;
    if (empty)
        end_element(r);
    return true;
}

static bool close_element(struct reader *r)
{
    r->rest = slice_from(r->rest, 2);
    struct slice name = read_name(r);
    if (r->depth == 0 || !slice_eq(name, r->open[r->depth - 1]->name))
        return false;
    end_element(r);
    return skip_to(r, ">");
}

static bool read_markup(struct reader *r)
{
    if (starts(r, "<!--"))
        return skip_to(r, "-->");
    if (starts(r, "<?"))
        return skip_to(r, "?>");
    if (starts(r, "<![CDATA["))
        return r->depth > 0 && read_cdata(r);
    if (starts(r, "<!"))
        return false; /* no document types: nothing of SQS has them, and they can be bombs */
    return starts(r, "</") ? close_element(r) : begin_element(r);
}

/* NULL: not well-formed. */
static struct node *read_tree(struct sqs_answer *a, struct slice body)
{
    struct reader r = {.rest = slice_trim(body), .answer = a};
    if (!utf8_valid(body) || memchr(body.p, '\0', body.n))
        return NULL;
    a->plain = r.out = mem_alloc_raw(body.n + 1);
    while (r.rest.n) {
        char *before = r.out;
        if (!(r.rest.p[0] == '<' ? read_markup(&r) : read_text(&r)))
            return NULL;
        if (r.depth == 0 && r.out != before &&
            slice_trim((struct slice){before, (size_t)(r.out - before)}).n)
            return NULL;
    }
    return r.depth == 0 ? r.root : NULL;
}

/* ---- what SQS puts into it ---- */

static const struct node *get(const struct node *n, const char *name)
{
    for (const struct node *c = n ? n->child : NULL; c; c = c->next)
        if (slice_is(c->name, name))
            return c;
    return NULL;
}

static bool text_of(const struct node *n, const char *name, struct slice *out)
{
    const struct node *c = get(n, name);
    if (!c || c->child)
        return false;
    *out = c->text;
    return true;
}

static size_t count(const struct node *n, const char *name)
{
    size_t found = 0;
    for (const struct node *c = n->child; c; c = c->next)
        found += slice_is(c->name, name);
    return found;
}

static bool read_attributes(struct sqs_answer *a, const struct node *n, struct sqs_attribute **to,
                            size_t *found)
{
    size_t most = count(n, "Attribute");
    *found = 0;
    if (most > SQS_ATTRIBUTES_MAX)
        return false;
    *to = arena_alloc(&a->arena, most * sizeof **to);
    for (const struct node *c = n->child; c; c = c->next) {
        struct sqs_attribute *at = &(*to)[*found];
        if (slice_is(c->name, "Attribute") && text_of(c, "Name", &at->name) &&
            text_of(c, "Value", &at->value))
            ++*found;
    }
    return true;
}

static bool read_typed(struct sqs_answer *a, const struct node *n, struct sqs_message *m)
{
    size_t most = count(n, "MessageAttribute");
    if (most > SQS_ATTRIBUTES_MAX)
        return false;
    m->typed = arena_alloc(&a->arena, most * sizeof *m->typed);
    for (const struct node *c = n->child; c; c = c->next) {
        struct sqs_typed t = {.binary = false};
        const struct node *value = get(c, "Value");
        if (!slice_is(c->name, "MessageAttribute") || !text_of(c, "Name", &t.name) ||
            !text_of(value, "DataType", &t.type))
            continue;
        t.binary = !text_of(value, "StringValue", &t.value);
        if (!t.binary || text_of(value, "BinaryValue", &t.value))
            m->typed[m->n_typed++] = t;
    }
    return true;
}

static bool read_message(struct sqs_answer *a, const struct node *n, struct sqs_message *m)
{
    *m = (struct sqs_message){0};
    if (!text_of(n, "MessageId", &m->id) || !text_of(n, "ReceiptHandle", &m->receipt) ||
        !text_of(n, "Body", &m->body) || m->id.n == 0 || m->receipt.n == 0)
        return false;
    text_of(n, "MD5OfBody", &m->md5_body);
    text_of(n, "MD5OfMessageAttributes", &m->md5_attributes);
    return read_attributes(a, n, &m->attributes, &m->n_attributes) && read_typed(a, n, m);
}

static enum sqs_read read_messages(struct sqs_answer *a, const struct node *result)
{
    a->messages = arena_alloc(&a->arena, SQS_BATCH_MAX * sizeof *a->messages);
    for (const struct node *c = result->child; c; c = c->next) {
        if (!slice_is(c->name, "Message"))
            continue;
        if (a->n_messages < SQS_BATCH_MAX && read_message(a, c, &a->messages[a->n_messages]))
            a->n_messages++;
        else
            a->skipped++;
    }
    return SQS_READ_OK;
}

static enum sqs_read read_results(struct sqs_answer *a, const struct node *result)
{
    for (const struct node *c = result->child; c; c = c->next) {
        struct slice id;
        struct sqs_result *r = text_of(c, "Id", &id) ? sqs_wire_result(a, id) : NULL;
        if (!r)
            continue;
        *r = (struct sqs_result){.answered = true, .code = SLICE_NONE, .text = SLICE_NONE};
        r->ok = slice_ends(c->name, "ResultEntry");
        text_of(c, "Code", &r->code);
        text_of(c, "Message", &r->text);
        if (!r->ok)
            r->fault = sqs_wire_entry_fault(r->code);
    }
    return SQS_READ_OK;
}

static enum sqs_read read_error(struct sqs_answer *a, const struct node *root, int status)
{
    struct slice code, text = SLICE_NONE;
    const struct node *error = get(root, "Error");
    if (!text_of(error, "Code", &code) || code.n == 0)
        return sqs_wire_unreadable(a, status);
    text_of(error, "Message", &text);
    return sqs_wire_fault(a, status, code, text);
}

enum sqs_read sqs_wire_read_xml(struct sqs_answer *a, enum sqs_op op, int status, struct slice body)
{
    struct slice start = slice_trim(body);
    if (start.n == 0 || start.p[0] != '<')
        return sqs_wire_unreadable(a, status);
    const struct node *root = read_tree(a, body);
    if (!root)
        return status == 200 ? sqs_wire_garbled(a, "the answer is not well-formed XML")
                             : sqs_wire_unreadable(a, status);
    if (status != 200)
        return read_error(a, root, status);
    char *wanted = arena_printf(&a->arena, "%sResult", sqs_wire_op_name(op));
    const struct node *result = get(root, wanted);
    if (!result) /* an HTML page, or an answer to something else */
        return slice_ends(root->name, "Response")
                   ? sqs_wire_garbled(a, "the answer is not that of the operation")
                   : sqs_wire_unreadable(a, status);
    switch (op) {
    case SQS_RECEIVE:
        return read_messages(a, result);
    case SQS_DELETE_BATCH:
    case SQS_VISIBILITY_BATCH:
        return read_results(a, result);
    case SQS_GET_URL:
        if (text_of(result, "QueueUrl", &a->queue_url) && a->queue_url.n)
            return SQS_READ_OK;
        return sqs_wire_garbled(a, "the answer has no QueueUrl");
    case SQS_GET_ATTRIBUTES:
        if (read_attributes(a, result, &a->attributes, &a->n_attributes))
            return SQS_READ_OK;
        return sqs_wire_garbled(a, "the queue has too many attributes");
    }
    return sqs_wire_garbled(a, "unknown operation");
}
