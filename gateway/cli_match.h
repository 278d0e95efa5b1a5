/* cli_match.h - what the parts of `penstock match` share; only for cli_match*.c. */
#ifndef GATEWAY_CLI_MATCH_H
#define GATEWAY_CLI_MATCH_H

#include "engine/pattern.h"
#include "gateway/cli.h"

struct match_cli {
    struct slice pattern, event; /* as given */
    bool json, esm;
};

/* Why a pattern, and with it the event, gives no match; all of it borrowed. */
struct match_reason {
    struct slice text;                 /* one line */
    const struct pattern_field *field; /* of the pattern; NULL: no single one */
};

/* Each prints its verdict, as text or as --json, and returns the exit code. */
int match_tell_pattern(const struct match_cli *, const struct pattern_error *);
int match_tell_event(const struct match_cli *, struct slice event, const char *reason, size_t at);
int match_tell_verdict(const struct match_cli *, bool matched, const struct match_reason *);

#endif
