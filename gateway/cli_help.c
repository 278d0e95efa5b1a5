/* cli_help.c - `penstock help`: commands, or a topic from the one schema. */
#include "base/json_out.h"
#include "config/catalog.h"
#include "gateway/cli.h"
#include <stdio.h>
#include <string.h>

enum { HELP_MAX = 1 << 20 };

static void print_json(const struct buf *text)
{
    struct buf b;
    struct json_out out;
    buf_init(&b, (size_t)2 * HELP_MAX);
    json_out_init(&out, &b);
    json_object(&out);
    json_kv_str(&out, "help", buf_slice(text));
    json_end(&out);
    printf("%s\n", b.p);
    buf_free(&b);
}

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
    if (code == CLI_OK && a->json)
        print_json(&out);
    else if (code == CLI_OK)
        fputs(out.p, stdout);
    buf_free(&out);
    return code;
}
