/* cli_match.c - `penstock match`: does an event pattern match an event, and if not, why. */
#include "gateway/cli_match.h"

#include "base/json_in.h"
#include "engine/criteria.h"
#include "engine/filter.h"
#include "gateway/registry.h"
#include <stdio.h>
#include <string.h>

enum { PATTERN_MAX = 64 * 1024, BUS_EVENT_MAX = 1 << 20, ESM_EVENT_MAX = 6 << 20 };
enum { WHY_MAX = 8192 };

static const char usage[] = "match --event-pattern PATTERN --event EVENT [--mode bus|esm] [--json]";

static const char help[] =
    "usage: penstock match --event-pattern PATTERN --event EVENT [--mode bus|esm] [--json]\n"
    "\n"
    "Tells whether an event pattern matches an event, as `aws events test-event-pattern` does, "
    "and\n"
    "if not, why. PATTERN and EVENT are JSON texts, file://PATH, or - for stdin (one of them).\n"
    "\n"
    "  --mode bus   a rule of an event bus (the default). Unlike on AWS, an event need not have "
    "id,\n"
    "               detail-type, source, account, time, region and resources.\n"
    "  --mode esm   a filter of an SQS event source mapping (FilterCriteria). EVENT is one "
    "record,\n"
    "               or an event whose Records hold one; its body is JSON or plain text. Operators\n"
    "               that AWS documents for event buses only are refused.\n"
    "  --json       {\"Result\":true}, or with Reason, Field, Line and Column; what is not valid:\n"
    "               Error, Message, Line, Column\n"
    "\n"
    "Exit code: 0 it matches, 1 it does not, 2 the pattern, the event or an argument is not "
    "valid.\n"
    "At most 64 KB of pattern (4,096 characters with esm), 1 MB of event (6 MB with esm).\n"
    "\n"
    "  penstock match --event-pattern '{\"detail\": {\"state\": [\"running\"]}}' --event "
    "file://e.json\n"
    "  penstock event SQS | penstock match --mode esm --event-pattern '{\"body\": [\"x\"]}' "
    "--event -\n";

/* ---- texts ---- */

/* The text of an argument, into room when it is a file's. False: told. */
static bool read_text(const char *name, const char *arg, size_t limit, struct buf *room,
                      struct slice *text)
{
    const char *path = strncmp(arg, "file://", 7) == 0 ? arg + 7 : arg;
    if (path != arg || strcmp(arg, "-") == 0) {
        bool ok = cli_read(path, limit, room);
        *text = buf_slice(room);
        return ok;
    }
    *text = slice_of(arg);
    if (text->n > limit)
        fprintf(stderr, "penstock match: %s is larger than %zu bytes\n", name, limit);
    return text->n <= limit;
}

/* Behind a value of valid JSON. */
static const char *skip_value(const char *p)
{
    size_t depth = 0;
    if (strchr("{[\"", *p) == NULL)
        return p + strcspn(p, ",]} \t\r\n");
    do {
        depth += *p == '{' || *p == '[';
        depth -= *p == '}' || *p == ']';
        if (*p == '"')
            for (p++; *p != '"'; p++)
                p += *p == '\\';
        p++;
    } while (depth > 0);
    return p;
}

static const char *skip_blanks(const char *p)
{
    return p + strspn(p, " \t\r\n");
}

/* The one element of Records of an event, or the event itself when it has none. event is a valid
 * JSON object that ends with a NUL. False: Records is there, but does not hold one object. */
static bool only_record(struct slice event, struct slice *record)
{
    const char *p = skip_blanks(event.p) + 1;
    *record = event;
    for (p = skip_blanks(p); *p != '}'; p = skip_blanks(p)) {
        const char *name = p;
        p = skip_value(p);
        struct slice key = {name, (size_t)(p - name)};
        const char *value = skip_blanks(skip_blanks(p) + 1);
        p = skip_blanks(skip_value(value));
        p += *p == ',';
        if (!slice_is(key, "\"Records\""))
            continue;
        if (*value != '[' || *(value = skip_blanks(value + 1)) != '{')
            return false;
        *record = (struct slice){value, (size_t)(skip_value(value) - value)};
        return *skip_blanks(skip_value(value)) == ']';
    }
    return true;
}

/* ---- verdicts ---- */

static int match_event(const struct match_cli *m, const struct pattern *pattern)
{
    struct filter *filter = filter_new(&pattern, 1);
    struct filter_match found;
    size_t at = 0, end;
    int code;
    if (!filter_match(filter, m->event, NULL, &found, &at)) {
        bool json = json_valid(m->event, &end);
        code = match_tell_event(m, m->event, json ? "it is not a JSON object" : "it is not JSON",
                                json ? at : end);
    } else {
        struct buf text;
        buf_init(&text, WHY_MAX);
        struct match_reason why = {.field = NULL};
        if (found.n == 0) {
            why.field = filter_why(filter, 0).field;
            filter_why_text(filter, 0, &text);
            why.text = buf_slice(&text);
        }
        code = match_tell_verdict(m, found.n > 0, &why);
        buf_free(&text);
    }
    filter_free(filter);
    return code;
}

static bool read_record(const struct match_cli *m, struct slice *record, int *code)
{
    size_t at;
    const char *reason = NULL;
    if (!json_valid(m->event, &at))
        reason = "it is not JSON";
    else if (at = (size_t)(skip_blanks(m->event.p) - m->event.p), m->event.p[at] != '{')
        reason = "it is not a JSON object";
    else if (!only_record(m->event, record))
        reason = "its Records do not hold one record";
    if (reason != NULL)
        *code = match_tell_event(m, m->event, reason, at);
    return reason == NULL;
}

static bool is_filter(const struct match_cli *m, const struct criteria_data *data,
                      const struct pattern *pattern, int *code)
{
    struct pattern_error err = {.line = 0};
    bool ok = criteria_check(data, m->pattern, &err);
    if (ok && pattern->beyond != NULL) {
        ok = false;
        err.at = pattern->beyond_at;
        pattern_place(m->pattern, err.at, &err.line, &err.column);
        snprintf(err.text, sizeof err.text,
                 "%s is documented for event buses, not for FilterCriteria", pattern->beyond);
    }
    if (!ok)
        *code = match_tell_pattern(m, &err);
    return ok;
}

static const struct criteria_data *sqs_data(void)
{
    size_t i = 0;
    while (strcmp(registry_sources[i]->type, "SQS") != 0)
        i++;
    return registry_sources[i]->data;
}

static int match_record(const struct match_cli *m, const struct pattern *pattern)
{
    const struct criteria_data *data = sqs_data();
    struct slice record;
    struct error err = {0};
    int code = CLI_USAGE;
    if (!is_filter(m, data, pattern, &code) || !read_record(m, &record, &code))
        return code;
    struct criteria *criteria = criteria_new(data, &m->pattern, 1, &err);
    if (criteria == NULL) {
        fprintf(stderr, "penstock match: %s\n", err.text);
        return code;
    }
    struct buf text;
    buf_init(&text, WHY_MAX);
    bool matched = criteria_pass(criteria, record, &text);
    struct match_reason why = {.text = buf_slice(&text)};
    code = match_tell_verdict(m, matched, &why);
    buf_free(&text);
    criteria_free(criteria);
    return code;
}

/* ---- the command ---- */

static int match(const struct match_cli *m)
{
    struct pattern_error err = {.line = 0};
    struct pattern *pattern = pattern_new(m->pattern, PATTERN_MAX, &err);
    if (pattern == NULL)
        return match_tell_pattern(m, &err);
    int code = m->esm ? match_record(m, pattern) : match_event(m, pattern);
    pattern_free(pattern);
    return code;
}

static bool take_mode(struct cli_args *a, bool *esm)
{
    const char *mode = cli_option(a, NULL, "--mode", "bus");
    *esm = strcmp(mode, "esm") == 0;
    if (!a->bad && !*esm && strcmp(mode, "bus") != 0) {
        fprintf(stderr, "penstock match: --mode is bus or esm, not '%s'\n", mode);
        a->bad = true;
    }
    return !a->bad;
}

int cli_match(struct cli_args *a)
{
    struct match_cli m = {.json = a->json};
    struct buf pattern_room, event_room;
    int code = CLI_USAGE;
    if (cli_flag(a, "--help")) {
        fputs(help, stdout);
        return CLI_OK;
    }
    buf_init(&pattern_room, PATTERN_MAX);
    buf_init(&event_room, ESM_EVENT_MAX);
    const char *pattern = cli_option(a, NULL, "--event-pattern", NULL);
    const char *event = cli_option(a, NULL, "--event", NULL);
    bool ok = take_mode(a, &m.esm);
    if (ok && (pattern == NULL || event == NULL)) {
        fprintf(stderr, "penstock match: %s is missing\n",
                pattern == NULL ? "--event-pattern" : "--event");
        a->bad = true;
    } else if (ok && strcmp(pattern, "-") == 0 && strcmp(event, "-") == 0) {
        fprintf(stderr, "penstock match: pattern and event cannot both come from stdin\n");
        a->bad = true;
    }
    if (cli_operands(a, 0, 0, usage) &&
        read_text("the pattern", pattern, PATTERN_MAX, &pattern_room, &m.pattern) &&
        read_text("the event", event, m.esm ? ESM_EVENT_MAX : BUS_EVENT_MAX, &event_room, &m.event))
        code = match(&m);
    buf_free(&pattern_room);
    buf_free(&event_room);
    return code;
}
