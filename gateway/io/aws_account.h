/* aws_account.h - who we are to AWS and where its services live: credentials, region, endpoints, in
 * the AWS SDKs' order of places. The inside of aws_client. */
#ifndef IO_AWS_ACCOUNT_H
#define IO_AWS_ACCOUNT_H

#include "base/arena.h"
#include "base/option.h"
#include "io/aws_profile.h"

struct aws_account {
    struct arena arena;
    struct option_map services; /* our file's Services; a copy in the arena */
    char *region;               /* NULL: none known */
    struct aws_profile profile;
    char *access_key, *secret_key, *session_token; /* NULL: none */
};

/* region and services: our file's, may be NULL; copied. false: nothing to free. */
bool aws_account_load(struct aws_account *, const char *region, const struct option_map *services,
                      struct error *) MUST_CHECK;
void aws_account_free(struct aws_account *); /* wipes secrets */
/* Reads the credentials again; on failure the old ones stay. */
bool aws_account_refresh(struct aws_account *, struct error *) MUST_CHECK;
/* region, else the account's, else us-east-1. */
const char *aws_account_region(const struct aws_account *, const char *region);
/* The endpoint that somebody configured; NULL: AWS itself. Returns a new string. */
char *aws_account_own_endpoint(const struct aws_account *, const char *service);
/* AWS itself. Returns a new string. */
char *aws_account_aws_endpoint(const struct aws_account *, const char *service, const char *region);

#endif
