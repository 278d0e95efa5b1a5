/* cli_run.c - `penstock run` and `penstock check`: from the file to a running gateway, or to
 * errors. */
#include "base/json_out.h"
#include "base/log.h"
#include "gateway/cli.h"
#include "gateway/gateway.h"
#include "io/process.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void print_json(const struct buf *b)
{
    printf("%s\n", b->p);
    fflush(stdout);
}

static void print_lines(struct json_out *out, const char *key, const struct catalog_errors *lines)
{
    json_key(out, key);
    json_array(out);
    for (size_t i = 0; i < lines->n; i++)
        json_cstr(out, lines->lines[i]);
    json_end(out);
}

static void print_errors(const struct catalog_errors *errors, bool json)
{
    if (!json) {
        for (size_t i = 0; i < errors->n; i++)
            fprintf(stderr, "%s\n%s", errors->lines[i],
                    errors->excerpts[i] != NULL ? errors->excerpts[i] : "");
        return;
    }
    struct buf b;
    struct json_out out;
    buf_init(&b, 1 << 20);
    json_out_init(&out, &b);
    json_object(&out);
    print_lines(&out, "errors", errors);
    json_end(&out);
    print_json(&b);
    buf_free(&b);
}

static const char *plural(size_t n)
{
    return n == 1 ? "" : "s";
}

static void print_ok(const char *path, const struct catalog *c, bool json)
{
    size_t events = 0;
    for (size_t i = 0; i < c->n_functions; i++)
        events += c->functions[i].n_events;
    if (!json) {
        print_errors(&c->warnings, false);
        printf("%s: ok: %zu function%s, %zu event source mapping%s, %zu queue%s\n", path,
               c->n_functions, plural(c->n_functions), events, plural(events), c->n_queues,
               plural(c->n_queues));
        return;
    }
    struct buf b;
    struct json_out out;
    buf_init(&b, 1 << 20);
    json_out_init(&out, &b);
    json_object(&out);
    json_key(&out, "errors");
    json_array(&out);
    json_end(&out);
    print_lines(&out, "warnings", &c->warnings);
    json_kv_i64(&out, "functions", (int64_t)c->n_functions);
    json_kv_i64(&out, "mappings", (int64_t)events);
    json_kv_i64(&out, "queues", (int64_t)c->n_queues);
    json_end(&out);
    print_json(&b);
    buf_free(&b);
}

static struct catalog *load(const char *path, bool json)
{
    struct catalog_errors errors = {0};
    struct catalog *c = catalog_load(path, &errors);
    if (c == NULL)
        print_errors(&errors, json);
    catalog_errors_free(&errors);
    return c;
}

int cli_check(struct cli_args *a)
{
    bool json = a->json;
    if (!cli_operands(a, 0, 1, "check [FILE] [--json]"))
        return CLI_USAGE;
    const char *path = a->argc > 0 ? a->argv[0] : "penstock.yaml";
    struct catalog *c = load(path, json);
    if (c == NULL)
        return CLI_USAGE;
    print_ok(path, c, json);
    catalog_free(c);
    return CLI_OK;
}

static void print_ready(const char *api_host, unsigned port, bool json)
{
    if (json)
        printf("{\"ready\":{\"api\":\"%s:%u\"}}\n", api_host, port);
    else
        printf("READY api=%s:%u\n", api_host, port);
    fflush(stdout);
}

static int run(const char *path, struct catalog *c, bool json)
{
    struct error err = {0};
    char *host = slice_dup(slice_of(c->gateway.api));
    char *colon = strrchr(host, ':');
    if (colon != NULL)
        *colon = '\0';
    log_setup((enum log_level)c->gateway.log_level, (enum log_format)c->gateway.log_format);
    struct gateway *g = gateway_new(path, c, &err);
    int code = CLI_USAGE;
    if (g == NULL) {
        log_flush();
        fprintf(stderr, "penstock: cannot start: %s\n", err.text);
    } else {
        print_ready(host, gateway_api_port(g), json);
        code = gateway_run(g) == GATEWAY_DRAINED ? 0 : 1;
    }
    gateway_free(g);
    log_flush();
    free(host);
    return code;
}

int cli_run(struct cli_args *a)
{
    bool json = a->json;
    if (!cli_operands(a, 0, 1, "run [FILE] [--json]"))
        return CLI_USAGE;
    const char *path = a->argc > 0 ? a->argv[0] : "penstock.yaml";
    struct error err = {0};
    if (!process_setup(&err)) {
        fprintf(stderr, "penstock: cannot start: %s\n", err.text);
        return CLI_USAGE;
    }
    struct catalog *c = load(path, json);
    int code = c == NULL ? CLI_USAGE : run(path, c, json);
    process_teardown();
    return code;
}
