/* cli_event.c - `penstock event`: a sample event of any source, with members changed on the way. */
#include "base/json_in.h"
#include "base/json_out.h"
#include "gateway/cli.h"
#include "gateway/registry.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SAMPLE_MAX = 1 << 20, SETS_MAX = 64, PATH_MAX_BYTES = 512 };

/* --set path=value, value JSON or else text */
struct set {
    struct slice path, value;
    bool used;
};

struct edit {
    struct set sets[SETS_MAX];
    size_t n;
    struct json_out out;
    struct buf path; /* of the node being written: Records.0.body */
};

static struct set *set_at(struct edit *e)
{
    struct set *found = NULL;
    for (size_t i = 0; i < e->n; i++)
        if (slice_eq(e->sets[i].path, buf_slice(&e->path)))
            found = &e->sets[i];
    return found;
}

static void write_value(struct edit *e, struct set *s)
{
    size_t at;
    s->used = true;
    if (json_valid(s->value, &at))
        json_raw(&e->out, s->value);
    else
        json_str(&e->out, s->value);
}

static void write_node(struct edit *e, const struct json *node);

static void write_children(struct edit *e, const struct json *node, bool object)
{
    size_t index = 0, before = e->path.n;
    for (const struct json *c = json_first(node); c != NULL; c = json_after(c), index++) {
        if (before > 0)
            buf_char(&e->path, '.');
        if (object) {
            buf_put(&e->path, json_name(c));
            json_key_slice(&e->out, json_name(c));
        } else {
            buf_printf(&e->path, "%zu", index);
        }
        write_node(e, c);
        e->path.n = before;
        if (e->path.p != NULL && e->path.cap > 0)
            e->path.p[before] = '\0';
    }
}

/* Members that the sample lacks are added where their parent is. */
static void write_additions(struct edit *e)
{
    for (size_t i = 0; i < e->n; i++) {
        struct set *s = &e->sets[i];
        struct slice parent = buf_slice(&e->path);
        struct slice leaf = s->path;
        if (s->used)
            continue;
        if (parent.n > 0) {
            if (s->path.n <= parent.n + 1 || memcmp(s->path.p, parent.p, parent.n) != 0 ||
                s->path.p[parent.n] != '.')
                continue;
            leaf = slice_from(s->path, parent.n + 1);
        }
        if (memchr(leaf.p, '.', leaf.n) != NULL)
            continue;
        json_key_slice(&e->out, leaf);
        write_value(e, s);
    }
}

static void write_node(struct edit *e, const struct json *node)
{
    struct set *s = e->path.n > 0 ? set_at(e) : NULL;
    if (s != NULL) {
        write_value(e, s);
        return;
    }
    switch (json_type(node)) {
    case JSON_OBJECT:
        json_object(&e->out);
        write_children(e, node, true);
        write_additions(e);
        json_end(&e->out);
        break;
    case JSON_ARRAY:
        json_array(&e->out);
        write_children(e, node, false);
        json_end(&e->out);
        break;
    case JSON_STRING:
        json_str(&e->out, json_text(node));
        break;
    case JSON_NUMBER:
        json_double(&e->out, json_num(node, 0));
        break;
    case JSON_BOOL:
        json_bool(&e->out, json_true(node));
        break;
    case JSON_NULL:
        json_null(&e->out);
        break;
    }
}

static int print_sample(const struct source_ops *ops, struct edit *e)
{
    struct error err = {0};
    struct json *root = json_parse(slice_of(ops->sample), SAMPLE_MAX, &err);
    if (root == NULL) {
        fprintf(stderr, "penstock event: the sample is broken: %s\n", err.text);
        return CLI_USAGE;
    }
    struct buf text;
    buf_init(&text, SAMPLE_MAX);
    buf_init(&e->path, PATH_MAX_BYTES);
    json_out_init(&e->out, &text);
    write_node(e, root);
    int code = CLI_OK;
    for (size_t i = 0; i < e->n && code == CLI_OK; i++)
        if (!e->sets[i].used) {
            fprintf(stderr, "penstock event: --set " SLICE_FMT ": the sample has no such place\n",
                    SLICE_ARG(e->sets[i].path));
            code = CLI_USAGE;
        }
    if (text.full) {
        fprintf(stderr, "penstock event: the event is larger than %d bytes\n", SAMPLE_MAX);
        code = CLI_USAGE;
    }
    if (code == CLI_OK)
        printf("%s\n", text.p);
    buf_free(&text);
    buf_free(&e->path);
    json_free(root);
    return code;
}

static bool take_sets(struct cli_args *a, struct edit *e)
{
    for (int i = 0; i + 1 < a->argc;) {
        if (strcmp(a->argv[i], "--set") != 0) {
            i++;
            continue;
        }
        struct slice value = slice_of(a->argv[i + 1]);
        struct slice path = slice_cut(&value, '=');
        size_t at = 0; /* of the same place, the last one counts */
        while (at < e->n && !slice_eq(e->sets[at].path, path))
            at++;
        if (at == SETS_MAX || path.n == 0 || strchr(a->argv[i + 1], '=') == NULL) {
            fprintf(stderr, "penstock event: '%s' is not path=value, or one too many\n",
                    a->argv[i + 1]);
            return false;
        }
        e->sets[at] = (struct set){path, value, false};
        e->n += at == e->n;
        memmove(a->argv + i, a->argv + i + 2, (size_t)(a->argc - i - 2) * sizeof *a->argv);
        a->argc -= 2;
    }
    return true;
}

static void list_sources(bool json)
{
    if (json)
        printf("[");
    for (size_t i = 0; registry_sources[i] != NULL; i++) {
        const struct source_ops *s = registry_sources[i];
        if (json)
            printf("%s\"%s\"", i > 0 ? "," : "", s->type);
        else
            printf("%-12s %s\n", s->type, s->doc);
    }
    if (json)
        printf("]\n");
}

int cli_event(struct cli_args *a)
{
    static struct edit e;
    if (!take_sets(a, &e) || !cli_operands(a, 0, 1, "event [SOURCE] [--set path=value]… [--json]"))
        return CLI_USAGE;
    if (a->argc == 0) {
        list_sources(a->json);
        return CLI_OK;
    }
    for (size_t i = 0; registry_sources[i] != NULL; i++)
        if (slice_is_ci(slice_of(registry_sources[i]->type), a->argv[0]))
            return print_sample(registry_sources[i], &e);
    fprintf(stderr, "penstock event: '%s' is not a source of this build; it has:\n", a->argv[0]);
    for (size_t i = 0; registry_sources[i] != NULL; i++)
        fprintf(stderr, "  %s\n", registry_sources[i]->type);
    return CLI_USAGE;
}
