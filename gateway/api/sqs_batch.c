/* sqs_batch.c - entries of batch requests. */
#include "api/sqs_batch.h"

#include <string.h>

enum { ID_MAX = 80 };

static bool is_id(struct slice id)
{
    for (size_t i = 0; i < id.n; i++) {
        char c = id.p[i];
        if ((c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' &&
            c != '_')
            return false;
    }
    return id.n > 0 && id.n <= ID_MAX;
}

static bool read_id(struct sqs_call *c, const char *entry, struct sqs_batch *b)
{
    struct slice *id = &b->ids[b->n];
    if (!sqs_in_text(c, b->entries[b->n], "Id", id))
        return false;
    if (id->p == NULL)
        return sqs_problem_set(&c->problem, SQS_ERROR_MISSING,
                               "The request must contain the parameter %s.%zu.Id.", entry,
                               b->n + 1);
    if (!is_id(*id))
        return sqs_problem_set(&c->problem, SQS_ERROR_BATCH_ID,
                               "A batch entry id can only contain alphanumeric characters, hyphens "
                               "and underscores. It can be at most 80 letters long.");
    for (size_t i = 0; i < b->n; i++)
        if (slice_eq(b->ids[i], *id))
            return sqs_problem_set(&c->problem, SQS_ERROR_BATCH_SAME_ID,
                                   "Id " SLICE_FMT " repeated.", SLICE_ARG(*id));
    return true;
}

bool sqs_batch_read(struct sqs_call *c, const char *entry, struct sqs_batch *b)
{
    const struct json *list;
    b->n = 0;
    if (!sqs_in_list(c, c->root, "Entries", &list))
        return false;
    size_t n = json_count(list);
    if (list == NULL && !c->query)
        return sqs_problem_set(&c->problem, SQS_ERROR_MISSING,
                               "The request must contain the parameter Entries.");
    if (n == 0)
        return sqs_problem_set(&c->problem, SQS_ERROR_BATCH_EMPTY,
                               "There should be at least one %s in the request.", entry);
    if (n > QUEUE_BATCH_MAX)
        return sqs_problem_set(&c->problem, SQS_ERROR_BATCH_ENTRIES,
                               "Maximum number of entries per request are %d. You have sent %zu.",
                               QUEUE_BATCH_MAX, n);
    for (const struct json *e = json_first(list); e != NULL; e = json_after(e)) {
        if (json_type(e) != JSON_OBJECT)
            return sqs_problem_set(&c->problem, SQS_ERROR_SYNTAX, "Expected null or structure");
        b->entries[b->n] = e;
        if (!read_id(c, entry, b))
            return false;
        b->n++;
    }
    return true;
}

void sqs_batch_begin(struct sqs_out *o, const char *element)
{
    sqs_out_list(o, "Successful", element);
}

void sqs_batch_middle(struct sqs_out *o)
{
    sqs_out_list_end(o);
    sqs_out_list(o, "Failed", "BatchResultErrorEntry");
}

void sqs_batch_failed(struct sqs_out *o, struct slice id, const struct sqs_problem *p)
{
    const struct sqs_error_facts *f = sqs_error_facts(p->error);
    sqs_out_item(o);
    sqs_out_text(o, "Id", id);
    sqs_out_cstr(o, "Code", f->code);
    sqs_out_cstr(o, "Message", p->text);
    sqs_out_bool(o, "SenderFault", f->sender);
    sqs_out_item_end(o);
}

void sqs_batch_end(struct sqs_out *o)
{
    sqs_out_list_end(o);
}
