/* aws_profile.h - the shared configuration and credentials files of the AWS SDKs: one profile of
 * them. Reads AWS_CONFIG_FILE (~/.aws/config), AWS_SHARED_CREDENTIALS_FILE (~/.aws/credentials) and
 * AWS_PROFILE; files that do not exist are empty. */
#ifndef IO_AWS_PROFILE_H
#define IO_AWS_PROFILE_H

#include "base/buf.h"
#include "base/error.h"

enum { AWS_PROFILE_FILE_MAX = 1024 * 1024 };

struct aws_profile {
    char *name;
    struct buf config, credentials; /* the files' text; holds secrets */
};

/* false: AWS_PROFILE names a profile that is in neither file, or a file is unreadable or over
 * AWS_PROFILE_FILE_MAX; nothing to free then. */
bool aws_profile_load(struct aws_profile *, struct error *) MUST_CHECK;
void aws_profile_free(struct aws_profile *); /* wipes the text */

/* A setting of the profile, the credentials file first; empty when absent. Borrows. */
struct slice aws_profile_get(const struct aws_profile *, const char *key);
/* A setting of one service (`endpoint_url`), from the section that the profile's `services` names;
 * empty when absent. */
struct slice aws_profile_service(const struct aws_profile *, const char *service, const char *key);

/* The value of key in [section] of an INI text; sub: of the indented settings below key, NULL: the
 * value itself. Of several the last counts. */
struct slice aws_profile_find(struct slice text, const char *section, const char *key,
                              const char *sub);

#endif
