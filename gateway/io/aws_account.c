/* aws_account.c - finds credentials, region and endpoints the way the AWS SDKs do. */
#include "io/aws_account.h"

#include "base/mem.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- credentials ---- */

static const char *environment(const char *name)
{
    const char *value = getenv(name);
    return value && *value ? value : NULL;
}

static void wipe(char **secret)
{
    if (*secret)
        explicit_bzero(*secret, strlen(*secret));
    free(*secret);
    *secret = NULL;
}

static char *dup_or_null(struct slice s)
{
    return s.n ? slice_dup(s) : NULL;
}

static void take_credentials(struct aws_account *a, struct slice key, struct slice secret,
                             struct slice token)
{
    wipe(&a->access_key);
    wipe(&a->secret_key);
    wipe(&a->session_token);
    a->access_key = dup_or_null(key);
    a->secret_key = dup_or_null(secret);
    a->session_token = dup_or_null(token);
}

static bool load_credentials(struct aws_account *a, struct error *err)
{
    struct slice key = slice_of(environment("AWS_ACCESS_KEY_ID"));
    struct slice secret = slice_of(environment("AWS_SECRET_ACCESS_KEY"));
    struct slice token = slice_of(environment("AWS_SESSION_TOKEN"));
    const char *where = "the environment";
    if (key.n == 0 && secret.n == 0) {
        key = aws_profile_get(&a->profile, "aws_access_key_id");
        secret = aws_profile_get(&a->profile, "aws_secret_access_key");
        token = aws_profile_get(&a->profile, "aws_session_token");
        where = "the profile";
    }
    if ((key.n == 0) != (secret.n == 0))
        return error_set(err, ERROR_CONFIG, "Partial credentials found in %s, missing: %s", where,
                         key.n ? "aws_secret_access_key" : "aws_access_key_id");
    take_credentials(a, key, secret, token);
    return true;
}

/* ---- endpoints ---- */

static char *find_region(const struct aws_account *a, const char *configured)
{
    const char *region = configured && *configured ? configured : environment("AWS_REGION");
    if (!region)
        region = environment("AWS_DEFAULT_REGION");
    return region ? mem_strdup(region) : dup_or_null(aws_profile_get(&a->profile, "region"));
}

static const char *from_services(const struct aws_account *a, const char *service)
{
    for (size_t i = 0; i < a->services.n; i++)
        if (strcmp(a->services.names[i], service) == 0)
            return a->services.values[i];
    return NULL;
}

static const char *from_environment(const char *service)
{
    char name[96];
    snprintf(name, sizeof name, "AWS_ENDPOINT_URL_%s", service);
    for (char *p = name; *p; p++)
        *p = *p >= 'a' && *p <= 'z' ? (char)(*p - 32) : *p == '-' ? '_' : *p;
    const char *url = environment(name);
    return url ? url : environment("AWS_ENDPOINT_URL");
}

char *aws_account_own_endpoint(const struct aws_account *a, const char *service)
{
    const char *url = from_services(a, service);
    if (url)
        return mem_strdup(url);
    const char *ignore = environment("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS");
    if (ignore && slice_is_ci(slice_of(ignore), "true"))
        return NULL;
    url = from_environment(service);
    if (url)
        return mem_strdup(url);
    struct slice s = aws_profile_service(&a->profile, service, "endpoint_url");
    return dup_or_null(s.n ? s : aws_profile_get(&a->profile, "endpoint_url"));
}

char *aws_account_aws_endpoint(const struct aws_account *a, const char *service, const char *region)
{
    region = aws_account_region(a, region);
    return mem_printf("https://%s.%s.amazonaws.com%s", service, region,
                      strncmp(region, "cn-", 3) == 0 ? ".cn" : "");
}

const char *aws_account_region(const struct aws_account *a, const char *region)
{
    return region ? region : a->region ? a->region : "us-east-1";
}

/* ---- life ---- */

/* A reload may free the catalog they came from, and they stay in force. */
static void copy_services(struct aws_account *a, const struct option_map *services)
{
    size_t n = services ? services->n : 0;
    a->services = (struct option_map){.names = arena_alloc(&a->arena, n * sizeof(char *)),
                                      .values = arena_alloc(&a->arena, n * sizeof(char *)),
                                      .n = n};
    for (size_t i = 0; i < n; i++) {
        a->services.names[i] = arena_dup(&a->arena, slice_of(services->names[i]));
        a->services.values[i] = arena_dup(&a->arena, slice_of(services->values[i]));
    }
}

bool aws_account_load(struct aws_account *a, const char *region, const struct option_map *services,
                      struct error *err)
{
    *a = (struct aws_account){.region = NULL};
    if (!aws_profile_load(&a->profile, err))
        return false;
    arena_init(&a->arena);
    copy_services(a, services);
    a->region = find_region(a, region);
    if (load_credentials(a, err))
        return true;
    aws_account_free(a);
    return false;
}

bool aws_account_refresh(struct aws_account *a, struct error *err)
{
    struct aws_profile fresh;
    if (!aws_profile_load(&fresh, err))
        return false;
    aws_profile_free(&a->profile);
    a->profile = fresh;
    return load_credentials(a, err);
}

void aws_account_free(struct aws_account *a)
{
    aws_profile_free(&a->profile);
    take_credentials(a, SLICE_NONE, SLICE_NONE, SLICE_NONE);
    arena_free(&a->arena);
    free(a->region);
    a->region = NULL;
}
