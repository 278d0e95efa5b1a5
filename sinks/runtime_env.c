/* runtime_env.c - the environment and the arguments a runtime process is started with. */
#include "sinks/runtime.h"

#include "base/rand.h"
#include "base/timefmt.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern char **environ;

enum { OWN_MAX = 32 };

/* AWS's list: what the service sets, and what configuration may therefore not set. */
bool runtime_env_reserved(const char *name)
{
    static const char *const reserved[] = {
        "_HANDLER",
        "_X_AMZN_TRACE_ID",
        "AWS_ACCESS_KEY",
        "AWS_ACCESS_KEY_ID",
        "AWS_DEFAULT_REGION",
        "AWS_EXECUTION_ENV",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
        "AWS_LAMBDA_FUNCTION_NAME",
        "AWS_LAMBDA_FUNCTION_VERSION",
        "AWS_LAMBDA_INITIALIZATION_TYPE",
        "AWS_LAMBDA_LOG_GROUP_NAME",
        "AWS_LAMBDA_LOG_STREAM_NAME",
        "AWS_LAMBDA_RUNTIME_API",
        "AWS_REGION",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SECRET_KEY",
        "AWS_SESSION_TOKEN",
        "LAMBDA_RUNTIME_DIR",
        "LAMBDA_TASK_ROOT",
        "PENSTOCK_RUN",
    };
    for (size_t i = 0; i < ARRAY_LEN(reserved); i++)
        if (strcmp(name, reserved[i]) == 0)
            return true;
    return false;
}

/* What a process keeps of the gateway's environment: where programs and temporary files are, and
 * how AWS is reached, as users of emulators expect. */
static bool inherited(const char *variable)
{
    static const char *const kept[] = {
        "PATH=",
        "HOME=",
        "LANG=",
        "TMPDIR=",
        "AWS_ACCESS_KEY_ID=",
        "AWS_SECRET_ACCESS_KEY=",
        "AWS_SESSION_TOKEN=",
        "AWS_PROFILE=",
        "AWS_CONFIG_FILE=",
        "AWS_SHARED_CREDENTIALS_FILE=",
        "AWS_CA_BUNDLE=",
        "AWS_ENDPOINT_URL=",
        "AWS_ENDPOINT_URL_",
    };
    for (size_t i = 0; i < ARRAY_LEN(kept); i++)
        if (strncmp(variable, kept[i], strlen(kept[i])) == 0)
            return true;
    return false;
}

/* The first one with a name stays: callers add in order of precedence. */
static void add(const char **v, size_t *n, const char *variable)
{
    size_t name = (size_t)(strchr(variable, '=') - variable) + 1;
    for (size_t i = 0; i < *n; i++)
        if (strncmp(v[i], variable, name) == 0)
            return;
    v[(*n)++] = variable;
}

static const char *log_stream(const struct runtime *r, struct arena *a)
{
    char day[TIMEFMT_MAX];
    timefmt_iso(loop_wall(r->sink.env->loop), day);
    return arena_printf(a, "%.4s/%.2s/%.2s/[$LATEST]%016llx%016llx", day, day + 5, day + 8,
                        (unsigned long long)rand_u64(), (unsigned long long)rand_u64());
}

static void add_own(const struct runtime *r, enum runtime_start start, uint16_t port,
                    struct arena *a, const char **v, size_t *n)
{
    const struct function_settings *f = r->sink.function;
    const char *type = start == RUNTIME_PROVISIONED ? "provisioned-concurrency" : "on-demand";
    const char *region = r->sink.env->region != NULL ? r->sink.env->region : "us-east-1";
    const char *own[] = {
        arena_printf(a, "AWS_LAMBDA_RUNTIME_API=127.0.0.1:%u", (unsigned)port),
        arena_printf(a, "_HANDLER=%s", r->handler != NULL ? r->handler : ""),
        arena_printf(a, "LAMBDA_TASK_ROOT=%s", r->root),
        arena_printf(a, "LAMBDA_RUNTIME_DIR=%s", r->root),
        arena_printf(a, "AWS_LAMBDA_FUNCTION_NAME=%s", f->name),
        "AWS_LAMBDA_FUNCTION_VERSION=$LATEST",
        arena_printf(a, "AWS_LAMBDA_FUNCTION_MEMORY_SIZE=%lld", (long long)f->memory_mb),
        arena_printf(a, "AWS_LAMBDA_LOG_GROUP_NAME=/aws/lambda/%s", f->name),
        arena_printf(a, "AWS_LAMBDA_LOG_STREAM_NAME=%s", log_stream(r, a)),
        arena_printf(a, "AWS_LAMBDA_INITIALIZATION_TYPE=%s", type),
        arena_printf(a, "AWS_REGION=%s", region),
        arena_printf(a, "AWS_DEFAULT_REGION=%s", region),
    };
    for (size_t i = 0; i < ARRAY_LEN(own); i++)
        add(v, n, own[i]);
    if (process_mark() != NULL)
        add(v, n, process_mark());
    /* As on AWS not for OS-only runtimes; and awslambdaric reads it, so never for a Command. */
    if (r->kind == RUNTIME_PYTHON || r->kind == RUNTIME_NODE)
        add(v, n, arena_printf(a, "AWS_EXECUTION_ENV=AWS_Lambda_%s", r->name));
}

const char *const *runtime_env(const struct runtime *r, enum runtime_start start, uint16_t port,
                               struct arena *a)
{
    const struct option_map *own = &r->sink.function->environment;
    size_t most = OWN_MAX + own->n, n = 0;
    for (char **e = environ; *e != NULL; e++)
        most++;
    const char **v = arena_alloc(a, (most + 1) * sizeof *v);

    add_own(r, start, port, a, v, &n);
    for (size_t i = 0; i < own->n; i++)
        add(v, &n, arena_printf(a, "%s=%s", own->names[i], own->values[i]));
    add(v, &n, "TZ=:UTC");
    for (char **e = environ; *e != NULL; e++)
        if (inherited(*e))
            add(v, &n, *e);
    add(v, &n, "PATH=/usr/local/bin:/usr/bin:/bin");
    return v;
}

static const char *interpreter(const struct runtime *r, struct arena *a)
{
    const char *path = runtime_variable(r->sink.function, "PATH");
    if (path == NULL)
        path = getenv("PATH");
    char *found = runtime_find_program(r->name, path, true);
    if (found == NULL)
        found = runtime_find_program("python3", path, false);
    const char *program = found != NULL ? arena_dup(a, slice_of(found)) : "python3";
    free(found);
    return program;
}

const char *const *runtime_argv(const struct runtime *r, struct arena *a)
{
    if (r->kind == RUNTIME_COMMAND) {
        const char **v = arena_alloc(a, (r->command.n + 1) * sizeof *v);
        memcpy(v, r->command.v, r->command.n * sizeof *v);
        return v;
    }
    const char **v = arena_alloc(a, 4 * sizeof *v);
    if (r->kind == RUNTIME_PROVIDED) {
        v[0] = arena_printf(a, "%s/bootstrap", r->root);
        return v;
    }
    v[0] = r->kind == RUNTIME_PYTHON ? interpreter(r, a) : "node";
    v[1] = "-"; /* the program comes through stdin */
    v[2] = r->handler;
    return v;
}
