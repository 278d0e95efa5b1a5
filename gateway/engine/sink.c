/* sink.c - the ends of a delivery: done, failed, cleared. */
#include "engine/sink.h"

#include "base/json_out.h"
#include "engine/function_delivery.h"
#include <stdarg.h>
#include <stdio.h>

const char *outcome_name(enum outcome o)
{
    static const char *const names[] = {"ok",        "failed",      "timeout",
                                        "throttled", "unreachable", "rejected"};
    return names[o];
}

void delivery_done(struct delivery *d)
{
    function_delivery_ended(d);
    d->done(d);
}

void delivery_fail(struct delivery *d, enum outcome o, const char *error_type, const char *fmt, ...)
{
    char text[1024];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);

    struct reply *r = &d->reply;
    struct json_out out;
    buf_free(&r->body);
    buf_init(&r->body, RESPONSE_MAX_BYTES);
    json_out_init(&out, &r->body);
    json_object(&out);
    json_kv_cstr(&out, "errorType", error_type);
    json_kv_cstr(&out, "errorMessage", text);
    json_end(&out);
    r->outcome = o;
    r->retry_after_ms = -1;
    r->function_error = o == OUTCOME_FAILED || o == OUTCOME_TIMEOUT ? "Unhandled" : NULL;
    snprintf(r->detail, sizeof r->detail, "%.60s: %.120s", error_type, text);
}

void delivery_clear(struct delivery *d)
{
    buf_free(&d->reply.body);
    buf_free(&d->reply.log_tail);
    d->reply = (struct reply){.retry_after_ms = -1};
}
