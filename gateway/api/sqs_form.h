/* sqs_form.h - requests of the query protocol: the form becomes the JSON document that the same
 * request has in the other protocol. For sqs_*.c. */
#ifndef API_SQS_FORM_H
#define API_SQS_FORM_H

#include "base/buf.h"

/* Decoded parameters, sorted by name. */
struct sqs_form {
    struct sqs_form_pair {
        struct slice name, value;
    } * pairs;
    size_t n;
    char *bytes;
};

enum { SQS_FORM_PAIRS_MAX = 2000 };

/* query and body: what stands behind '?', and a form; either may be empty. false: broken escapes,
 * bytes that are not UTF-8, or too many parameters; free in both cases. */
bool sqs_form_read(struct sqs_form *, struct slice query, struct slice body) MUST_CHECK;
void sqs_form_free(struct sqs_form *);
/* p == NULL: absent. */
struct slice sqs_form_get(const struct sqs_form *, const char *name);
/* Appends the document. */
void sqs_form_json(const struct sqs_form *, struct buf *out);

#endif
