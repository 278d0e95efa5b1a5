/* load_gateway.c - the sections Gateway and Services. */
#include "base/log.h"
#include "config/load.h"
#include "config/names.h"
#include "io/http_client.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

enum { HOST_MAX = 64, ACCESS_KEY_MAX = 128 };
#define STORE_MAX_BYTES (INT64_C(1) << 46)

static const char *const log_levels[] = {
    [LOG_DEBUG] = "debug", [LOG_INFO] = "info", [LOG_WARN] = "warn", [LOG_ERROR] = "error", NULL};
static const char *const log_formats[] = {[LOG_LOGFMT] = "logfmt", [LOG_JSON] = "json", NULL};
const char *const load_services_used[] = {"sqs", NULL};

const struct option gateway_options[] = {
    OPT_STRING(struct gateway_settings, api, "Api", "127.0.0.1:9001", OPTION_X,
               "HOST:PORT where the gateway serves its API, metrics and health; HOST is a numeric "
               "address, port 0 takes a free one."),
    OPT_STRING(struct gateway_settings, region, "Region", NULL, OPTION_X,
               "AWS region, of ARNs and of signatures; if absent AWS_REGION, AWS_DEFAULT_REGION, "
               "us-east-1."),
    OPT_STRING(struct gateway_settings, account_id, "AccountId", "000000000000", OPTION_X,
               "Twelve digits, of the functions' ARNs."),
    OPT_INT(struct gateway_settings, concurrent_executions, "ConcurrentExecutions", "1000", 1,
            1000000, OPTION_X, "Most invocations at once, over all functions."),
    OPT_DURATION(struct gateway_settings, drain_ms, "Drain", "20s", 0, 3600000, OPTION_X,
                 "How long a stop waits for invocations that run."),
    OPT_CHOICE(struct gateway_settings, log_level, "LogLevel", "info", log_levels, OPTION_X,
               "The least level of log lines that are written."),
    OPT_CHOICE(struct gateway_settings, log_format, "LogFormat", "logfmt", log_formats, OPTION_X,
               "The form of log lines."),
    OPT_STRING(struct gateway_settings, store, "Store", "penstock.db", OPTION_X | OPTION_PATH,
               "The file that holds queues and messages; PATH-wal, PATH-shm and PATH.lock beside "
               "it belong to it."),
    OPT_INT(struct gateway_settings, store_max_bytes, "StoreMaxBytes", "0", 0, STORE_MAX_BYTES,
            OPTION_X,
            "Most bytes of messages in the store: what would go beyond is refused; 0: no limit but "
            "the disk's."),
    OPT_STRING(
        struct gateway_settings, access_key, "AccessKeyId", NULL, OPTION_X,
        "With SecretAccessKey: requests to the Api must be signed (SigV4) by this key; health "
        "and metrics need no signature."),
    OPT_STRING(struct gateway_settings, secret_key, "SecretAccessKey", NULL,
               OPTION_X | OPTION_SECRET, "The secret that belongs to AccessKeyId."),
    OPT_END};

static bool is_port(struct slice s, int64_t least)
{
    int64_t port;
    return s.n > 0 && s.n <= 5 && s.p[0] != '-' && slice_int(s, &port) && port >= least &&
           port <= 65535;
}

/* "127.0.0.1:9001", "[::1]:9001". */
static bool is_address(struct slice s)
{
    unsigned char ip[sizeof(struct in6_addr)];
    char host[HOST_MAX];
    bool v6 = slice_starts(s, "[");
    const char *colon = memrchr(s.p, ':', s.n);
    if (colon == NULL || !is_port(slice_from(s, (size_t)(colon - s.p) + 1), 0))
        return false;
    struct slice name = {s.p, (size_t)(colon - s.p)};
    if (v6 && !slice_ends(name, "]"))
        return false;
    if (v6)
        name = (struct slice){name.p + 1, name.n - 2};
    if (name.n >= sizeof host)
        return false;
    memcpy(host, name.p, name.n);
    host[name.n] = '\0';
    return inet_pton(v6 ? AF_INET6 : AF_INET, host, ip) == 1;
}

static bool is_region(struct slice s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((s.p[i] < 'a' || s.p[i] > 'z') && (s.p[i] < '0' || s.p[i] > '9') && s.p[i] != '-')
            return false;
    return s.n > 0 && s.n <= 32;
}

static bool is_account(struct slice s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
    return s.n == 12;
}

/* Of the file, else of the environment as the AWS SDKs do it. */
static void settle_region(struct load *load, const struct yaml_node *section)
{
    const char **region = &load->catalog->gateway.region;
    const char *from = NULL;
    static const char *const variables[] = {"AWS_REGION", "AWS_DEFAULT_REGION"};
    for (size_t i = 0; *region == NULL && i < ARRAY_LEN(variables); i++) {
        const char *value = getenv(variables[i]);
        if (value == NULL || value[0] == '\0')
            continue;
        *region = arena_dup(&load->catalog->arena, slice_of(value));
        from = variables[i];
    }
    if (*region == NULL)
        *region = "us-east-1";
    if (is_region(slice_of(*region)))
        return;
    if (from == NULL)
        yaml_problem(&load->problems, yaml_find(section, "Region"), NULL,
                     "'%s' is not a region name such as eu-central-1", *region);
    else
        problem_add(&load->problems, 0, "Gateway.Region",
                    "'%s' (environment variable %s) is not a region name such as eu-central-1",
                    *region, from);
}

static const char *gateway_refusal(const void *ctx, struct slice name, struct arena *arena)
{
    (void)ctx;
    return names_refusal(NAMES_GATEWAY, name, arena);
}

static bool is_access_key(struct slice s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] <= ' ' || (unsigned char)s.p[i] >= 0x7f ||
            strchr("/,=", s.p[i]) != NULL)
            return false;
    return s.n > 0 && s.n <= ACCESS_KEY_MAX;
}

/* Half a pair of credentials would look like protection and be none. */
static void check_credentials(struct load *load, const struct yaml_node *section)
{
    const struct gateway_settings *g = &load->catalog->gateway;
    const struct yaml_node *key = yaml_find(section, "AccessKeyId");
    const struct yaml_node *secret = yaml_find(section, "SecretAccessKey");
    if (key != NULL && secret == NULL)
        yaml_problem(&load->problems, key, NULL, "needs SecretAccessKey beside it");
    if (secret != NULL && key == NULL)
        yaml_problem(&load->problems, secret, NULL, "needs AccessKeyId beside it");
    if (g->access_key != NULL && !is_access_key(slice_of(g->access_key)))
        yaml_problem(&load->problems, key, NULL,
                     "'%s' cannot be an access key: 1 to %d characters without blanks, '/', ',' "
                     "and '='",
                     g->access_key, ACCESS_KEY_MAX);
    if (g->secret_key != NULL && g->secret_key[0] == '\0')
        yaml_problem(&load->problems, secret, NULL, "is empty");
}

void load_gateway(struct load *load, const struct yaml_node *section)
{
    static const struct option *const tables[] = {gateway_options, NULL};
    static const struct option_members members = {.tables = tables, .refusal = gateway_refusal};
    struct gateway_settings *g = &load->catalog->gateway;
    (void)option_apply(&load->options, gateway_options, g, section);
    settle_region(load, section);
    if (section == NULL)
        return;
    (void)option_check_members(&load->options, &members, section);
    check_credentials(load, section);
    const struct yaml_node *api = yaml_find(section, "Api");
    const struct yaml_node *account = yaml_find(section, "AccountId");
    if (api != NULL && api->type == YAML_SCALAR && !api->bad && !is_address(slice_of(g->api)))
        yaml_problem(&load->problems, api, NULL,
                     "'%s' is not HOST:PORT with a numeric host, such as 127.0.0.1:9001 or "
                     "[::1]:9001",
                     g->api);
    if (account != NULL && account->type == YAML_SCALAR && !account->bad &&
        !is_account(slice_of(g->account_id)))
        yaml_problem(&load->problems, account, NULL, "'%s' is not an account number: 12 digits",
                     g->account_id);
}

static void check_service(struct load *load, const struct yaml_node *node)
{
    struct arena *arena = &load->catalog->arena;
    const char *why = names_refusal(NAMES_SERVICE, node->key, arena);
    for (const char *const *it = load_services_used; *it != NULL; it++) {
        if (!slice_is(node->key, *it))
            continue;
        if (node->type != YAML_SCALAR || node->bad || node->null || http_base_url(node->text))
            return;
        if (memchr(node->text.p, '@', node->text.n) != NULL)
            yaml_problem(&load->problems, node, NULL, "credentials do not belong into a URL");
        else
            yaml_problem(&load->problems, node, NULL,
                         "%s is not a URL such as http://127.0.0.1:9324",
                         yaml_describe(arena, node));
        return;
    }
    const char *near = names_nearest(node->key, load_services_used);
    if (why != NULL)
        yaml_problem(&load->problems, node, NULL, "%s (Services takes sqs)", why);
    else if (near != NULL)
        yaml_problem(&load->problems, node, NULL, "unknown service %s; did you mean %s?",
                     node->key.p, near);
    else
        yaml_problem(&load->problems, node, NULL, "unknown service %s (Services takes sqs)",
                     node->key.p);
}

/* Both sections, as values: they come from file, environment and defaults alike. */
static char *canonical(struct load *load, const struct option *services)
{
    struct buf out;
    struct json_out json;
    buf_init(&out, LOAD_TEXT_MAX_BYTES);
    json_out_init(&json, &out);
    json_array(&json);
    option_print(&json, gateway_options, &load->catalog->gateway);
    option_print(&json, services, load->catalog);
    json_end(&json);
    return load_keep_text(load, &out);
}

void load_services(struct load *load, const struct yaml_node *section)
{
    static const struct option services[] = {
        OPT_MAP(struct catalog, services, "Services", OPTION_X, "Service name to base URL."),
        OPT_END};
    if (section != NULL) {
        for (const struct yaml_node *it = section->first; it != NULL; it = it->next)
            check_service(load, it);
        (void)option_apply(&load->options, services, load->catalog, section->parent);
    }
    load->catalog->gateway_text = canonical(load, services);
}
