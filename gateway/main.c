/* main.c - finds the subcommand. */
#include "gateway/cli.h"

#include "base/log.h"
#include <stdio.h>
#include <string.h>

static const struct {
    const char *name, *usage, *doc;
    int (*run)(struct cli_args *);
} commands[] = {
    {"run", "run [FILE]", "runs the gateway in the foreground", cli_run},
    {"check", "check [FILE]", "validates a configuration file without connecting", cli_check},
    {"invoke", "invoke FUNCTION [-e FILE|-]", "invokes a function of a running gateway",
     cli_invoke},
    {"event", "event [SOURCE] [--set path=value]", "prints a sample event", cli_event},
    {"queue", "queue list|send|peek|purge|redrive …", "works on the queues of a running gateway",
     cli_queue},
    {"match", "match --event-pattern P --event E",
     "tells whether an event pattern matches an event", cli_match},
    {"help", "help [TOPIC]", "explains a section, a member or an event type", cli_help},
};

/* Of the interface, but not of this build: refused by name. */
static const char *const later[] = {"status", "dead", "explain", "audit"};

void cli_usage(struct buf *out)
{
    buf_str(out, "penstock - what AWS Lambda does between an event source and a function\n\n");
    for (size_t i = 0; i < ARRAY_LEN(commands); i++)
        buf_printf(out, "  penstock %-36s %s\n", commands[i].usage, commands[i].doc);
    buf_str(out, "\nFILE is penstock.yaml when it is not given. All take --json.\n");
}

static int print_usage(FILE *to, int code)
{
    struct buf text;
    buf_init(&text, 65536);
    cli_usage(&text);
    fputs(text.p, to);
    buf_free(&text);
    return code;
}

int main(int argc, char **argv)
{
    log_setup(LOG_INFO, LOG_LOGFMT);
    if (argc < 2)
        return print_usage(stderr, CLI_USAGE);
    if (strcmp(argv[1], "--version") == 0) {
        bool json = argc > 2 && strcmp(argv[2], "--json") == 0;
        puts(json ? "{\"version\":\"" PENSTOCK_VERSION "\"}" : "penstock " PENSTOCK_VERSION);
        return CLI_OK;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
        return print_usage(stdout, CLI_OK);
    struct cli_args a = {.command = argv[1], .argc = argc - 2, .argv = argv + 2};
    for (size_t i = 0; i < ARRAY_LEN(commands); i++)
        if (strcmp(argv[1], commands[i].name) == 0) {
            a.json = cli_flag(&a, "--json");
            return commands[i].run(&a);
        }
    for (size_t i = 0; i < ARRAY_LEN(later); i++)
        if (strcmp(argv[1], later[i]) == 0) {
            fprintf(stderr, "penstock: %s is not supported by this build\n", later[i]);
            return CLI_USAGE;
        }
    fprintf(stderr, "penstock: unknown command '%s'\n", argv[1]);
    return print_usage(stderr, CLI_USAGE);
}
