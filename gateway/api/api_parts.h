/* api_parts.h - shared by the files of the API: its state, and how errors are told. */
#ifndef API_API_PARTS_H
#define API_API_PARTS_H

#include "api/api.h"

struct api {
    const struct env *env;
    const struct api_host *host;
    struct http_listener *listener;
    char *address;       /* numeric, as bound */
    struct list pending; /* invocations out */
    size_t n_pending;
    struct buf scratch;
};

/* Is the request signed as env->own_credentials want it? false: it was answered with why not. */
bool api_is_signed(struct api *, struct http_request *);

/* POST /2015-03-31/functions/NAME/invocations; name is still percent-encoded. invoke-api.md 1. */
void invoke_handle(struct api *, struct http_request *, struct slice name);
void invoke_cancel_all(struct api *);

/* x-amzn-ErrorType and a JSON body; member is "message" or, for ResourceNotFoundException,
 * "Message"; type NULL leaves out Type; reason NULL leaves out Reason and Retry-After. */
struct api_error {
    int status;
    const char *name, *type, *member, *reason;
};
void api_reply_error(struct http_request *, const struct api_error *, const char *request_id,
                     const char *fmt, ...) PRINTF(4, 5);

#endif
