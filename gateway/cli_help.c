/* cli_help.c - `penstock help`: commands, or a topic from the one schema. */
#include "config/catalog.h"
#include "gateway/cli.h"
#include <stdio.h>
#include <string.h>

enum { HELP_MAX = 1 << 20 };

int cli_help(struct cli_args *a)
{
    if (!cli_operands(a, 0, 1, "help [TOPIC]"))
        return CLI_USAGE;
    struct buf out;
    int code = CLI_OK;
    buf_init(&out, HELP_MAX);
    if (a->argc == 0) {
        cli_usage(&out);
        buf_str(&out,
                "\nTopics: Gateway, Services, Queues, Functions, an event type (SQS), a member "
                "(Timeout), or `reference` for everything.\n");
    } else if (strcmp(a->argv[0], "reference") == 0) {
        catalog_reference(&out);
    } else if (!catalog_help(a->argv[0], &out)) {
        fprintf(stderr,
                "penstock help: no topic '%s'; try Gateway, Queues, Functions, SQS or a member's "
                "name\n",
                a->argv[0]);
        code = CLI_USAGE;
    }
    fputs(out.p == NULL ? "" : out.p, stdout);
    buf_free(&out);
    return code;
}
