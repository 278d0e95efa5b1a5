/* cli.h - the subcommands; each is one file, each returns the process's exit code. */
#ifndef GATEWAY_CLI_H
#define GATEWAY_CLI_H

#include "base/buf.h"

enum cli_exit {
    CLI_OK = 0,
    CLI_FUNCTION_ERROR = 1, /* also: a service said no */
    CLI_NO_MATCH = 1,
    CLI_USAGE = 2, /* also: the configuration is wrong */
    CLI_UNREACHABLE = 3,
    CLI_THROTTLED = 4,
};

/* Options of one call, taken out of argv by name; what is left are the operands. */
struct cli_args {
    const char *command;
    int argc;
    char **argv; /* operands, in order */
    bool json, bad;
};

/* The value after -x or --name (either may be NULL), or dflt; the last one counts. */
const char *cli_option(struct cli_args *, const char *short_name, const char *long_name,
                       const char *dflt);
bool cli_flag(struct cli_args *, const char *long_name);
/* Operands within [least, most] and no option left over; else usage on stderr and bad. */
bool cli_operands(struct cli_args *, int least, int most, const char *usage);

int cli_run(struct cli_args *);
int cli_check(struct cli_args *);
int cli_invoke(struct cli_args *);
int cli_event(struct cli_args *);
int cli_queue(struct cli_args *);
int cli_match(struct cli_args *);
int cli_help(struct cli_args *);
void cli_usage(struct buf *out); /* the list of commands */

/* The whole of a file, or of stdin for "-"; at most limit bytes. False: said why on stderr. */
bool cli_read(const char *path, size_t limit, struct buf *out);

#endif
