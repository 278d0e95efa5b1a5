/* cli_match_tell.c - the verdicts of `penstock match`, for people and as --json. */
#include "gateway/cli_match.h"

#include "base/excerpt.h"
#include "base/json_out.h"
#include <stdio.h>
#include <string.h>

/* SHOWN_CHARACTERS: of a pattern within an error, as EventBridge cuts it */
enum { TEXT_MAX = 64 * 1024, SHOWN_CHARACTERS = 500 };

/* What there is to say when it is not a verdict. */
struct refusal {
    const char *code; /* AWS's name of the error */
    struct buf message;
    struct slice text; /* what at is in */
    size_t at;
};

static void print_json(const struct buf *b)
{
    printf("%s\n", b->p);
}

static void put_place(struct json_out *out, struct slice text, size_t at)
{
    unsigned line, column;
    pattern_place(text, at, &line, &column);
    json_kv_i64(out, "Line", line);
    json_kv_i64(out, "Column", column);
}

static int tell_refusal(const struct match_cli *m, struct refusal *r)
{
    struct buf b;
    buf_init(&b, (size_t)4 * TEXT_MAX);
    if (m->json) {
        struct json_out out;
        json_out_init(&out, &b);
        json_object(&out);
        json_kv_cstr(&out, "Error", r->code);
        json_kv_str(&out, "Message", buf_slice(&r->message));
        put_place(&out, r->text, r->at);
        json_end(&out);
        print_json(&b);
    } else {
        excerpt_safe(&b, buf_slice(&r->message), TEXT_MAX);
        buf_char(&b, '\n');
        excerpt_put(&b, r->text, r->at);
        fputs(b.p, stderr);
    }
    buf_free(&b);
    buf_free(&r->message);
    return CLI_USAGE;
}

/* "first 500 characters"[truncated N chars], where a character is one of UTF-16. */
static void put_source(struct buf *out, struct slice text)
{
    size_t units = 0, shown = 0;
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        if (units < SHOWN_CHARACTERS || (shown == i && (c & 0xC0) == 0x80))
            shown = i + 1;
        units += (c & 0xC0) == 0x80 ? 0 : c >= 0xF0 ? 2 : 1;
    }
    buf_char(out, '"');
    buf_put(out, (struct slice){text.p, shown});
    buf_char(out, '"');
    if (units > SHOWN_CHARACTERS)
        buf_printf(out, "[truncated %zu chars]", units - SHOWN_CHARACTERS);
}

int match_tell_pattern(const struct match_cli *m, const struct pattern_error *err)
{
    struct refusal r = {.code = m->esm ? "InvalidParameterValueException"
                                       : "InvalidEventPatternException",
                        .text = m->pattern,
                        .at = err->at};
    buf_init(&r.message, TEXT_MAX);
    buf_printf(&r.message, "%s Reason: %s",
               m->esm ? "Invalid filter pattern definition." : "Event pattern is not valid.",
               err->text);
    if (err->line > 0) {
        buf_str(&r.message, "\n at [Source: (String)");
        put_source(&r.message, m->pattern);
        buf_printf(&r.message, "; line: %u, column: %u]", err->line, err->column);
    }
    return tell_refusal(m, &r);
}

int match_tell_event(const struct match_cli *m, struct slice event, const char *reason, size_t at)
{
    struct refusal r = {.code = "ValidationException", .text = event, .at = at};
    unsigned line, column;
    buf_init(&r.message, TEXT_MAX);
    pattern_place(event, at, &line, &column);
    buf_printf(&r.message, "Parameter Event is not valid. Reason: %s at line %u, column %u", reason,
               line, column);
    return tell_refusal(m, &r);
}

static void print_reason(const struct match_cli *m, const struct match_reason *why)
{
    struct buf b;
    buf_init(&b, TEXT_MAX);
    buf_str(&b, "no match: ");
    excerpt_safe(&b, slice_trim(why->text), TEXT_MAX / 2);
    buf_char(&b, '\n');
    if (why->field != NULL)
        excerpt_put(&b, m->pattern, why->field->at);
    fputs(b.p, stderr);
    buf_free(&b);
}

static void print_verdict(const struct match_cli *m, bool matched, const struct match_reason *why)
{
    struct buf b;
    struct json_out out;
    buf_init(&b, (size_t)4 * TEXT_MAX);
    json_out_init(&out, &b);
    json_object(&out);
    json_key(&out, "Result");
    json_bool(&out, matched);
    if (!matched)
        json_kv_str(&out, "Reason", slice_trim(why->text));
    if (!matched && why->field != NULL) {
        json_kv_str(&out, "Field", why->field->path);
        put_place(&out, m->pattern, why->field->at);
    }
    json_end(&out);
    print_json(&b);
    buf_free(&b);
}

int match_tell_verdict(const struct match_cli *m, bool matched, const struct match_reason *why)
{
    if (m->json)
        print_verdict(m, matched, why);
    else if (!matched)
        print_reason(m, why);
    return matched ? CLI_OK : CLI_NO_MATCH;
}
