/* runtime_api.c - the Runtime API that one process speaks to us: invoke-api.md 7. */
#include "sinks/runtime.h"

#include <string.h>

#define ROOT "/2018-06-01/runtime/"

static const struct http_header json_type[] = {{"Content-Type", {"application/json", 16}}};

static void answer(struct http_request *req, int status, struct slice body)
{
    http_reply(req, status, json_type, ARRAY_LEN(json_type), body);
}

static void accepted(struct http_request *req)
{
    answer(req, 202, SLICE("{\"status\":\"OK\"}\n"));
}

#define ERROR_BODY(type, message)                                                                  \
    SLICE("{\"errorMessage\":\"" message "\",\"errorType\":\"" type "\"}\n")

static void invalid_id(struct http_request *req)
{
    answer(req, 400, ERROR_BODY("InvalidRequestID", "Invalid request ID"));
}

static void invalid_state(struct http_request *req)
{
    answer(req, 403, ERROR_BODY("InvalidStateTransition", "State transition is not allowed"));
}

static void next(struct runtime_sandbox *sb, struct http_request *req)
{
    if (sb->n_polls >= RUNTIME_POLLS_MAX) {
        invalid_state(req);
        return;
    }
    runtime_sandbox_ready(sb);
    runtime_pool_poll(sb, req);
}

static struct runtime_call *find(const struct runtime_sandbox *sb, struct slice id)
{
    list_each(&sb->calls, it)
    {
        struct runtime_call *call = container_of(it, struct runtime_call, node);
        if (slice_is(id, call->delivery->request_id))
            return call;
    }
    return NULL;
}

static void refuse_unknown(const struct runtime_sandbox *sb, struct http_request *req,
                           struct slice id, bool error)
{
    if (sb->state == RUNTIME_STARTING)
        invalid_state(req);
    else if (error && slice_is(id, sb->too_large))
        accepted(req); /* Java reports the 413 that it got; the invocation is settled already */
    else
        invalid_id(req);
}

/* Another attempt's answer, or a mode that does not exist. Answers when it is so. */
static bool refuse_headers(const struct runtime_call *call, struct http_request *req)
{
    struct slice attempt = http_request_header(req, "Lambda-Runtime-Invocation-Id");
    if (attempt.n > 0 && !slice_is(attempt, call->attempt)) {
        answer(req, 400, ERROR_BODY("InvalidInvocationId", "Invalid invocation ID"));
        return true;
    }
    struct slice mode = http_request_header(req, "Lambda-Runtime-Function-Response-Mode");
    if (mode.n > 0 && !slice_is_ci(mode, "streaming")) {
        answer(req, 400,
               ERROR_BODY("InvalidFunctionResponseMode",
                          "Invalid function response mode, the only one is streaming"));
        return true;
    }
    return false;
}

static void result(struct runtime_sandbox *sb, struct http_request *req, struct slice id,
                   bool error)
{
    struct runtime_call *call = find(sb, id);
    if (call == NULL) {
        refuse_unknown(sb, req, id, error);
        return;
    }
    if (refuse_headers(call, req))
        return;
    /* What the function printed before it answered belongs to this invocation. */
    process_read_output(sb->process);
    if (req->too_large) {
        runtime_call_too_large(call);
        answer(req, 413,
               ERROR_BODY("RequestEntityTooLarge",
                          "Exceeded maximum allowed payload size (6291556 bytes)."));
    } else {
        if (error)
            runtime_call_error(call, req);
        else
            runtime_call_answer(call, req);
        accepted(req);
    }
    runtime_call_done(call, NULL);
}

static void init_error(struct runtime_sandbox *sb, struct http_request *req)
{
    /* Some clients report every end here, also after many events: nothing failed then but them. */
    if (sb->state != RUNTIME_STARTING) {
        invalid_state(req);
        return;
    }
    runtime_sandbox_init_error(sb, req);
    accepted(req);
}

static void route_post(struct runtime_sandbox *sb, struct http_request *req, struct slice rest)
{
    if (slice_is(rest, "init/error")) {
        init_error(sb, req);
        return;
    }
    if (slice_starts(rest, "invocation/")) {
        rest = slice_from(rest, strlen("invocation/"));
        struct slice id = slice_cut(&rest, '/');
        bool error = slice_is(rest, "error");
        if (error || slice_is(rest, "response")) {
            result(sb, req, id, error);
            return;
        }
    }
    answer(req, 404, ERROR_BODY("NotFound", "No such resource"));
}

void runtime_api(struct http_request *req)
{
    struct runtime_sandbox *sb = req->ctx;
    bool get = slice_is(req->method, "GET"), post = slice_is(req->method, "POST");
    if (get && slice_is(req->path, ROOT "invocation/next"))
        next(sb, req);
    else if (post && slice_starts(req->path, ROOT))
        route_post(sb, req, slice_from(req->path, strlen(ROOT)));
    else if ((get || post) || !slice_starts(req->path, ROOT))
        answer(req, 404, ERROR_BODY("NotFound", "No such resource"));
    else
        answer(req, 405, ERROR_BODY("MethodNotAllowed", "Method not allowed"));
}
