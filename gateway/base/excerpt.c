/* excerpt.c - a line of a text with a caret under it, aligned and safe on any terminal. */
#include "base/excerpt.h"

#include "base/utf8.h"

/* Bytes as well: a line may consist of marks without a column, or of broken UTF-8. */
enum { COLUMNS_BEFORE = 72, BYTES_BEFORE = 288, COLUMNS = 120, BYTES_AFTER = 480 };

struct character {
    uint32_t code;
    size_t bytes;
    unsigned columns;
    bool shown; /* as it is; else U+FFFD */
};

struct range {
    uint32_t first, last;
};

static bool is_within(uint32_t code, const struct range *ranges, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (code >= ranges[i].first && code <= ranges[i].last)
            return true;
    return false;
}

/* Controls; and the marks that turn the direction of what follows, which can hide text. */
static bool is_harmful(uint32_t code)
{
    static const struct range harmful[] = {{0, 0x1F},        {0x7F, 0x9F},     {0x61C, 0x61C},
                                           {0x200E, 0x200F}, {0x2028, 0x202E}, {0x2066, 0x2069},
                                           {0xFEFF, 0xFEFF}};
    return is_within(code, harmful, ARRAY_LEN(harmful));
}

/* Unicode's East Asian Width W and F, in the blocks that occur. */
static bool is_wide(uint32_t code)
{
    static const struct range wide[] = {{0x1100, 0x115F},   {0x2E80, 0x303E},   {0x3041, 0xA4CF},
                                        {0xAC00, 0xD7A3},   {0xF900, 0xFAFF},   {0xFE30, 0xFE6F},
                                        {0xFF00, 0xFF60},   {0xFFE0, 0xFFE6},   {0x1F300, 0x1F64F},
                                        {0x1F680, 0x1F6FF}, {0x1F900, 0x1F9FF}, {0x20000, 0x3FFFD}};
    return is_within(code, wide, ARRAY_LEN(wide));
}

static bool is_combining(uint32_t code)
{
    static const struct range combining[] = {
        {0x300, 0x36F},   {0x483, 0x489},   {0x591, 0x5BD},   {0x64B, 0x65F},   {0x1AB0, 0x1AFF},
        {0x200B, 0x200D}, {0x20D0, 0x20FF}, {0xFE00, 0xFE0F}, {0xFE20, 0xFE2F}, {0xE0100, 0xE01EF}};
    return is_within(code, combining, ARRAY_LEN(combining));
}

static size_t sequence_length(unsigned char lead)
{
    return lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
}

/* The first character of s, which is not empty. */
static struct character character_of(struct slice s)
{
    const unsigned char *p = (const unsigned char *)s.p;
    size_t n = sequence_length(p[0]);
    if (n > s.n || utf8_valid_prefix((struct slice){s.p, n}) != n) {
        struct slice start = {s.p, s.n < 4 ? s.n : 4};
        return (struct character){0xFFFD, utf8_bad_len(start), 1, false};
    }
    uint32_t code = n == 1 ? p[0] : p[0] & (0x7Fu >> n);
    for (size_t i = 1; i < n; i++)
        code = code << 6 | (p[i] & 0x3Fu);
    bool shown = !is_harmful(code);
    unsigned columns = !shown ? 1 : is_wide(code) ? 2 : is_combining(code) ? 0 : 1;
    return (struct character){code, n, columns, shown};
}

/* Returns its columns. */
static unsigned put_character(struct buf *out, struct slice text, const struct character *c)
{
    if (c->code == '\t')
        buf_char(out, ' ');
    else if (c->shown)
        buf_add(out, text.p, c->bytes);
    else
        utf8_put(out, 0xFFFD);
    return c->columns;
}

static struct slice line_around(struct slice text, size_t at, unsigned *number)
{
    size_t first = 0, last = at;
    *number = 1;
    for (size_t i = 0; i < at; i++)
        if (text.p[i] == '\n') {
            first = i + 1;
            ++*number;
        }
    while (last < text.n && text.p[last] != '\n')
        last++;
    if (last > first && text.p[last - 1] == '\r')
        last--;
    return (struct slice){text.p + first, last - first};
}

/* Where to begin so that at is within COLUMNS_BEFORE characters: the start, or a character's. */
static size_t window_start(struct slice line, size_t at)
{
    size_t characters = 0, i = at;
    while (i > 0 && characters < COLUMNS_BEFORE && at - i < BYTES_BEFORE) {
        i--;
        if (((unsigned char)line.p[i] & 0xC0) != 0x80)
            characters++;
    }
    return i;
}

void excerpt_put(struct buf *out, struct slice text, size_t at)
{
    unsigned number, before = 0, after = 0;
    at = at < text.n ? at : text.n;
    struct slice line = line_around(text, at, &number);
    size_t mark = at - (size_t)(line.p - text.p); /* on the CR of CRLF: behind the line */
    size_t i = window_start(line, mark < line.n ? mark : line.n);
    bool cut = i > 0;
    buf_printf(out, "%4u | %s", number, cut ? "…" : "");
    while (i < line.n && i < mark + BYTES_AFTER && before + after < COLUMNS) {
        struct slice rest = slice_from(line, i);
        struct character c = character_of(rest);
        unsigned columns = put_character(out, rest, &c);
        i += c.bytes;
        if (i <= mark)
            before += columns;
        else
            after += columns;
    }
    buf_printf(out, "%s\n     | %*s^\n", i < line.n ? "…" : "", (int)(before + cut), "");
}

void excerpt_safe(struct buf *out, struct slice text, size_t max)
{
    size_t i = 0;
    while (i < text.n) {
        struct slice rest = slice_from(text, i);
        struct character c = character_of(rest);
        if (i + c.bytes > max)
            break;
        if (c.code == '\n')
            buf_char(out, '\n');
        else
            put_character(out, rest, &c);
        i += c.bytes;
    }
    if (i < text.n)
        buf_str(out, "…");
}
