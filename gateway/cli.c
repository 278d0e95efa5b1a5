/* cli.c - what the subcommands share: options and files. */
#include "gateway/cli.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static void remove_args(struct cli_args *a, int at, int n)
{
    memmove(a->argv + at, a->argv + at + n, (size_t)(a->argc - at - n) * sizeof *a->argv);
    a->argc -= n;
}

static bool is_named(const char *arg, const char *short_name, const char *long_name)
{
    return (short_name != NULL && strcmp(arg, short_name) == 0) ||
           (long_name != NULL && strcmp(arg, long_name) == 0);
}

const char *cli_option(struct cli_args *a, const char *short_name, const char *long_name,
                       const char *dflt)
{
    const char *value = dflt;
    for (int i = 0; i < a->argc;) {
        size_t n = long_name == NULL ? 0 : strlen(long_name);
        if (is_named(a->argv[i], short_name, long_name)) {
            if (i + 1 >= a->argc) {
                fprintf(stderr, "penstock %s: %s needs a value\n", a->command, a->argv[i]);
                a->bad = true;
                return dflt;
            }
            value = a->argv[i + 1];
            remove_args(a, i, 2);
        } else if (n > 0 && strncmp(a->argv[i], long_name, n) == 0 && a->argv[i][n] == '=') {
            value = a->argv[i] + n + 1;
            remove_args(a, i, 1);
        } else {
            i++;
        }
    }
    return value;
}

bool cli_flag(struct cli_args *a, const char *long_name)
{
    bool found = false;
    for (int i = 0; i < a->argc;) {
        if (strcmp(a->argv[i], long_name) != 0) {
            i++;
            continue;
        }
        found = true;
        remove_args(a, i, 1);
    }
    return found;
}

bool cli_operands(struct cli_args *a, int least, int most, const char *usage)
{
    for (int i = 0; i < a->argc && !a->bad; i++)
        if (a->argv[i][0] == '-' && a->argv[i][1] != '\0') {
            fprintf(stderr, "penstock %s: unknown option %s\n", a->command, a->argv[i]);
            a->bad = true;
        }
    if (!a->bad && (a->argc < least || a->argc > most)) {
        fprintf(stderr, "penstock %s: %s operand\n", a->command,
                a->argc < least ? "missing" : "unexpected");
        a->bad = true;
    }
    if (a->bad)
        fprintf(stderr, "usage: penstock %s\n", usage);
    return !a->bad;
}

bool cli_read(const char *path, size_t limit, struct buf *out)
{
    bool from_stdin = strcmp(path, "-") == 0;
    FILE *f = from_stdin ? stdin : fopen(path, "rbe");
    if (f == NULL) {
        fprintf(stderr, "penstock: cannot read %s: %s\n", path, strerror(errno));
        return false;
    }
    char chunk[65536];
    size_t n;
    buf_init(out, limit);
    while ((n = fread(chunk, 1, sizeof chunk, f)) > 0 && buf_add(out, chunk, n))
        ;
    bool failed = ferror(f) != 0;
    if (!from_stdin)
        fclose(f);
    if (failed)
        fprintf(stderr, "penstock: cannot read %s\n", path);
    else if (out->full)
        fprintf(stderr, "penstock: %s is larger than %zu bytes\n", path, limit);
    return !failed && !out->full;
}
