/* yaml.c - libyaml's events to our tree; the only file that knows libyaml. */
#include "config/yaml.h"

#include "base/map.h"
#include "base/utf8.h"
#include <string.h>
#include <yaml.h>

struct frame {
    struct yaml_node *node, *last;
    struct slice key; /* waiting for its value */
    unsigned key_line;
    bool keyed;
};

struct reader {
    struct arena *arena;
    struct problems *problems;
    struct yaml_node *root;
    struct frame frames[YAML_MAX_DEPTH];
    unsigned depth;
    size_t nodes;
    bool stop; /* what follows cannot be understood */
};

static void fail(struct reader *r, unsigned line, const char *fmt, ...) PRINTF(3, 4);
static void fail(struct reader *r, unsigned line, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    problem_addv(r->problems, line, "", fmt, args);
    va_end(args);
    r->stop = true;
}

static unsigned mark_line(const yaml_mark_t *mark)
{
    return mark->line > YAML_MAX_BYTES ? 0 : (unsigned)mark->line + 1;
}

static struct yaml_node *new_node(struct reader *r, enum yaml_type type, const yaml_event_t *event)
{
    struct yaml_node *node = arena_alloc(r->arena, sizeof *node);
    node->type = type;
    node->line = mark_line(&event->start_mark);
    node->column = (unsigned)event->start_mark.column + 1;
    if (++r->nodes > YAML_MAX_NODES)
        fail(r, node->line, "more than %d values in one file", YAML_MAX_NODES);
    return node;
}

/* Gives the node its place: a key, a value, an item, or the root. */
static void attach(struct reader *r, struct yaml_node *node)
{
    if (r->depth == 0) {
        r->root = node;
        return;
    }
    struct frame *top = &r->frames[r->depth - 1];
    if (top->node->type == YAML_MAPPING && !top->keyed) {
        if (node->type != YAML_SCALAR) {
            fail(r, node->line, "a key must be text, not a list or a mapping");
            return;
        }
        top->key = node->text;
        top->key_line = node->line;
        top->keyed = true;
        return;
    }
    node->parent = top->node;
    if (top->keyed) {
        node->key = top->key;
        node->key_line = top->key_line;
        top->keyed = false;
    }
    if (top->last == NULL)
        top->node->first = node;
    else
        top->last->next = node;
    top->last = node;
    top->node->count++;
}

static void open_collection(struct reader *r, struct yaml_node *node)
{
    attach(r, node);
    if (r->stop)
        return;
    if (r->depth == YAML_MAX_DEPTH) {
        fail(r, node->line, "nested deeper than %d levels", YAML_MAX_DEPTH);
        return;
    }
    r->frames[r->depth++] = (struct frame){.node = node};
}

static void close_collection(struct reader *r)
{
    struct yaml_node *node = r->frames[--r->depth].node;
    if (node->type != YAML_MAPPING || node->count < 2)
        return;
    struct map seen;
    map_init(&seen);
    for (struct yaml_node *it = node->first; it != NULL; it = it->next) {
        const struct yaml_node *before = map_get(&seen, it->key);
        if (before == NULL)
            (void)map_set(&seen, it->key, it);
        else
            yaml_problem(r->problems, it, NULL, "duplicate key %s (first on line %u)", it->key.p,
                         before->key_line);
    }
    map_free(&seen);
}

static bool is_cloudformation(const char *tag)
{
    static const char *const names[] = {
        "!Ref", "!GetAtt", "!Sub",  "!Join",      "!Select", "!ImportValue", "!FindInMap",
        "!If",  "!Split",  "!Cidr", "!Base64",    "!GetAZs", "!Transform",   "!Equals",
        "!Not", "!And",    "!Or",   "!Condition", "!Length", "!ToJsonString"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (strcmp(tag, names[i]) == 0)
            return true;
    return false;
}

/* Anchors and tags: both would make the text mean something else than it says. */
static void refuse_extras(struct reader *r, struct yaml_node *node, const yaml_char_t *anchor,
                          const yaml_char_t *tag)
{
    static const char core[] = "tag:yaml.org,2002:";
    if (anchor != NULL) {
        problem_add(r->problems, node->line, "",
                    "anchors are not supported (&%s): write the value out where it is needed",
                    (const char *)anchor);
        node->bad = true;
    }
    if (tag == NULL)
        return;
    const char *name = (const char *)tag;
    node->bad = true;
    if (is_cloudformation(name))
        problem_add(r->problems, node->line, "",
                    "%s is resolved by CloudFormation, not here: write the ARN itself (or "
                    "${ENV_NAME})",
                    name);
    else if (strncmp(name, core, sizeof core - 1) == 0)
        problem_add(r->problems, node->line, "",
                    "tags are not supported (!!%s): write the value without it",
                    name + sizeof core - 1);
    else
        problem_add(r->problems, node->line, "",
                    "tags are not supported (%s): write the value without it", name);
}

static void on_scalar(struct reader *r, const yaml_event_t *event)
{
    struct yaml_node *node = new_node(r, YAML_SCALAR, event);
    const char *text = (const char *)event->data.scalar.value;
    size_t n = event->data.scalar.length;
    refuse_extras(r, node, event->data.scalar.anchor, event->data.scalar.tag);
    if (memchr(text, '\0', n) != NULL) {
        problem_add(r->problems, node->line, "", "a value must not contain NUL");
        node->bad = true;
        n = strlen(text);
    }
    node->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    node->text = (struct slice){arena_dup(r->arena, (struct slice){text, n}), n};
    node->null =
        !node->quoted && (n == 0 || slice_is(node->text, "~") || slice_is(node->text, "null") ||
                          slice_is(node->text, "Null") || slice_is(node->text, "NULL"));
    attach(r, node);
}

static void on_alias(struct reader *r, const yaml_event_t *event)
{
    struct yaml_node *node = new_node(r, YAML_SCALAR, event);
    problem_add(r->problems, node->line, "",
                "aliases are not supported (*%s): write the value out where it is needed",
                (const char *)event->data.alias.anchor);
    node->bad = true;
    node->text = SLICE_NONE;
    attach(r, node);
}

static void on_event(struct reader *r, const yaml_event_t *event)
{
    struct yaml_node *node;
    switch (event->type) {
    case YAML_DOCUMENT_START_EVENT:
        if (r->root != NULL)
            fail(r, mark_line(&event->start_mark),
                 "a second document starts here: a configuration is one document");
        break;
    case YAML_SCALAR_EVENT:
        on_scalar(r, event);
        break;
    case YAML_ALIAS_EVENT:
        on_alias(r, event);
        break;
    case YAML_SEQUENCE_START_EVENT:
        node = new_node(r, YAML_SEQUENCE, event);
        refuse_extras(r, node, event->data.sequence_start.anchor, event->data.sequence_start.tag);
        open_collection(r, node);
        break;
    case YAML_MAPPING_START_EVENT:
        node = new_node(r, YAML_MAPPING, event);
        refuse_extras(r, node, event->data.mapping_start.anchor, event->data.mapping_start.tag);
        open_collection(r, node);
        break;
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        close_collection(r);
        break;
    default:
        break;
    }
}

static void on_parser_error(struct reader *r, const yaml_parser_t *parser, struct slice text)
{
    const char *what = parser->problem != NULL ? parser->problem : "cannot be parsed";
    if (parser->error == YAML_READER_ERROR) {
        unsigned line = 1;
        for (size_t i = 0; i < parser->problem_offset && i < text.n; i++)
            line += text.p[i] == '\n';
        fail(r, line, "not valid YAML: %s", what);
        return;
    }
    unsigned line = mark_line(&parser->problem_mark);
    const char *hint =
        strstr(what, "cannot start any token") != NULL
            ? " (YAML indents with blanks, never tabs; text with special characters needs quotes)"
            : "";
    if (parser->context == NULL)
        fail(r, line, "not valid YAML: %s%s", what, hint);
    else
        fail(r, line, "not valid YAML: %s, %s that began on line %u%s", what, parser->context,
             mark_line(&parser->context_mark), hint);
}

static void parse(struct reader *r, yaml_parser_t *parser, struct slice text)
{
    bool end = false;
    while (!end && !r->stop) {
        yaml_event_t event;
        if (yaml_parser_parse(parser, &event) == 0) {
            on_parser_error(r, parser, text);
            return;
        }
        end = event.type == YAML_STREAM_END_EVENT;
        on_event(r, &event);
        yaml_event_delete(&event);
    }
}

struct yaml_node *yaml_read(struct slice text, struct arena *arena, struct problems *problems)
{
    struct reader r = {.arena = arena, .problems = problems};
    if (text.n > YAML_MAX_BYTES) {
        problem_add(problems, 0, "", "larger than %d bytes", YAML_MAX_BYTES);
        return NULL;
    }
    size_t good = utf8_valid_prefix(text);
    if (good < text.n) {
        unsigned line = 1;
        for (size_t i = 0; i < good; i++)
            line += text.p[i] == '\n';
        problem_add(problems, line, "", "not UTF-8 text (byte %zu)", good);
        return NULL;
    }
    yaml_parser_t parser;
    if (yaml_parser_initialize(&parser) == 0) {
        problem_add(problems, 0, "", "out of memory");
        return NULL;
    }
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser, (const unsigned char *)text.p, text.n);
    parse(&r, &parser, text);
    yaml_parser_delete(&parser);
    if (r.stop)
        return NULL;
    if (r.root == NULL)
        problem_add(problems, 0, "", "the file is empty");
    return r.root;
}
