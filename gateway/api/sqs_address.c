/* sqs_address.c - QueueUrls and paths of SQS requests. */
#include "api/sqs_address.h"

#include "api/sqs_in.h"
#include <string.h>

static const char elsewhere[] = "queue"; /* other servers' URLs: /queue/NAME, /queue/REGION/… */

static bool is_account(struct slice s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
    return s.n > 0;
}

/* Without its first slash. */
static struct slice inside(struct slice path)
{
    return path.n > 0 && path.p[0] == '/' ? slice_from(path, 1) : path;
}

bool sqs_address_is_path(struct slice path)
{
    struct slice rest = inside(path);
    struct slice first = slice_cut(&rest, '/');
    return first.n == 0 || is_account(first) || slice_is(first, elsewhere);
}

/* What follows scheme and host. */
static struct slice path_of(struct slice url)
{
    const char *mark = url.n > 0 ? memmem(url.p, url.n, "://", 3) : NULL;
    if (mark == NULL)
        return url;
    url = slice_from(url, (size_t)(mark - url.p) + 3);
    (void)slice_cut(&url, '/');
    return url;
}

/* The queue's name, when the owner is us. */
static bool read_path(const struct sqs_call *c, struct slice path, struct slice *name)
{
    struct slice rest = inside(path);
    const char *slash = rest.n > 0 ? memrchr(rest.p, '/', rest.n) : NULL;
    *name = slash == NULL ? rest : slice_from(rest, (size_t)(slash - rest.p) + 1);
    if (slash == NULL)
        return name->n > 0;
    struct slice owner = {rest.p, (size_t)(slash - rest.p)};
    const char *before = memrchr(owner.p, '/', owner.n);
    struct slice first = slice_cut(&rest, '/');
    if (before != NULL)
        owner = slice_from(owner, (size_t)(before - owner.p) + 1);
    bool ours = slice_is(owner, c->api->env->account_id);
    return ours || (slice_is(first, elsewhere) && !is_account(owner));
}

bool sqs_address_no_queue(struct sqs_call *c)
{
    return sqs_problem_set(&c->problem, SQS_ERROR_NO_QUEUE, "The specified queue does not exist%s.",
                           c->query ? " for this wsdl version" : "");
}

bool sqs_address_resolve_name(struct sqs_call *c, struct slice name)
{
    c->queue = queues_find(c->api->queues, name);
    return c->queue != NULL || sqs_address_no_queue(c);
}

bool sqs_address_resolve(struct sqs_call *c)
{
    struct slice url, path, name;
    if (!sqs_in_text(c, c->root, "QueueUrl", &url))
        return false;
    path = url.p != NULL ? path_of(url) : c->req->path;
    if (inside(path).n == 0)
        return url.n == 0
                   ? sqs_problem_set(&c->problem, SQS_ERROR_MISSING,
                                     "The request must contain the parameter QueueUrl.")
                   : sqs_problem_set(&c->problem, SQS_ERROR_ADDRESS,
                                     "The address " SLICE_FMT " is not valid for this endpoint.",
                                     SLICE_ARG(url));
    if (!read_path(c, path, &name))
        return sqs_address_no_queue(c);
    return sqs_address_resolve_name(c, name);
}

bool sqs_address_is_arn(struct slice arn)
{
    struct slice parts[5];
    for (size_t i = 0; i < ARRAY_LEN(parts); i++)
        parts[i] = slice_cut(&arn, ':');
    return slice_is(parts[0], "arn") && parts[1].n > 0 && parts[2].n > 0 && parts[4].n > 0 &&
           arn.n > 0;
}
