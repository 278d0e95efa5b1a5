/* fuzz_sqs_wire.c - SQS answers of both protocols: never a crash, never a read beyond the end, and
 * whatever is understood becomes valid JSON. First byte: protocol, operation and status. */
#include "base/json_in.h"
#include "sources/sqs_impl.h"
#include <stdlib.h>
#include <string.h>

static void touch(struct slice s)
{
    volatile char sum = 0;
    for (size_t i = 0; i < s.n; i++)
        sum = (char)(sum ^ s.p[i]);
}

static void use_messages(const struct sqs_answer *a)
{
    if (a->n_messages > SQS_BATCH_MAX)
        abort();
    for (size_t i = 0; i < a->n_messages; i++) {
        struct buf event;
        size_t at;
        if (a->messages[i].id.n == 0 || a->messages[i].receipt.n == 0)
            abort();
        if (memchr(a->messages[i].id.p, 0, a->messages[i].id.n))
            abort();
        buf_init(&event, 64 << 20);
        sqs_event_write(&event, &a->messages[i], SLICE("arn"), SLICE("region"), i % 2);
        if (!event.full && !json_valid(buf_slice(&event), &at))
            abort();
        buf_free(&event);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const int statuses[] = {200, 200, 200, 400, 403, 404, 500, 503};
    if (n == 0)
        return 0;
    struct sqs_answer a;
    enum sqs_protocol protocol = data[0] & 1 ? SQS_QUERY : SQS_JSON;
    enum sqs_op op = (enum sqs_op)((data[0] >> 1) % (SQS_GET_ATTRIBUTES + 1));
    int status = statuses[data[0] >> 5];
    char *copy = malloc(n); /* exactly as long, so that a byte too far is seen */
    memcpy(copy, data + 1, n - 1);
    enum sqs_read got = sqs_wire_read(&a, protocol, op, status, (struct slice){copy, n - 1});
    free(copy);
    touch(a.code);
    touch(a.text);
    touch(a.queue_url);
    if (got == SQS_READ_OK)
        use_messages(&a);
    for (size_t i = 0; i < a.n_attributes; i++) {
        touch(a.attributes[i].name);
        touch(a.attributes[i].value);
    }
    for (size_t i = 0; i < SQS_BATCH_MAX; i++) {
        touch(a.results[i].code);
        touch(a.results[i].text);
    }
    sqs_answer_free(&a);
    return 0;
}
