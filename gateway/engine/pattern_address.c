/* pattern_address.c - addresses of the internet protocol, alone and with a mask. */
#include "engine/pattern_parts.h"

#include <arpa/inet.h>
#include <string.h>

static bool is_v4(struct slice s)
{
    unsigned parts = 0;
    for (size_t i = 0; i < s.n; parts++) {
        size_t from = i;
        while (i < s.n && s.p[i] >= '0' && s.p[i] <= '9')
            i++;
        if (i == from || (i < s.n && s.p[i++] != '.') || (i == s.n && s.p[i - 1] == '.'))
            return false;
    }
    return parts == 4;
}

static bool is_v6(struct slice s)
{
    return strspn(s.p, "0123456789abcdefABCDEF:") >= s.n && memchr(s.p, ':', s.n);
}

/* Decimal whatever zeros lead it, no longer than an address can be. */
static unsigned read_v4(const char *p, unsigned char out[16])
{
    if (strlen(p) > 15)
        return 0;
    for (size_t i = 0; i < 4; i++, p++) {
        unsigned part = 0;
        for (; *p >= '0' && *p <= '9'; p++)
            part = 10 * part + (unsigned)(*p - '0');
        if (part > 255)
            return 0;
        out[i] = (unsigned char)part;
    }
    return 4;
}

/* What is written like an address, though it may be none: then *text has it NUL-terminated. */
static bool looks_like(struct slice s, char text[64], bool *v4)
{
    if (!s.n || s.n >= 64 || memchr(s.p, 0, s.n))
        return false;
    memcpy(text, s.p, s.n);
    text[s.n] = '\0';
    struct slice copy = {text, s.n};
    *v4 = is_v4(copy);
    return *v4 || is_v6(copy);
}

unsigned pattern_address(struct slice s, unsigned char out[16])
{
    static const unsigned char mapped[12] = {[10] = 0xFF, [11] = 0xFF};
    char text[64];
    bool v4;
    memset(out, 0, 16);
    if (!looks_like(s, text, &v4))
        return 0;
    if (v4)
        return read_v4(text, out);
    if (inet_pton(AF_INET6, text, out) != 1) {
        memset(out, 0, 16);
        return 0;
    }
    if (memcmp(out, mapped, sizeof mapped) != 0)
        return 16;
    memcpy(out, out + 12, 4);
    memset(out + 4, 0, 12);
    return 4;
}

static bool has_sign(struct slice s)
{
    return s.n && (s.p[0] == '+' || s.p[0] == '-');
}

/* A mask as Java reads an int. */
static bool read_mask(struct slice s, int64_t *out)
{
    bool minus = s.n && s.p[0] == '-';
    s = slice_from(s, has_sign(s));
    *out = 0;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
        *out = 10 * *out + (s.p[i] - '0');
        if (*out > (int64_t)INT32_MAX + minus)
            return false;
    }
    *out = minus ? -*out : *out;
    return s.n > 0;
}

static void clear_host(unsigned char *address, unsigned bytes, unsigned bits)
{
    for (unsigned i = 0; i < bytes; i++) {
        unsigned kept = bits > 8 * i ? bits - 8 * i : 0;
        if (kept < 8)
            address[i] &= (unsigned char)(0xFF00u >> kept);
    }
}

bool pattern_address_cidr(struct pattern_compile *c, struct slice operand, struct pattern_value *v)
{
    struct pattern_json *j = &c->json;
    struct slice rest = operand;
    char text[64];
    bool v4;
    int64_t bits;
    /* Java's split forgets what is empty at the end. */
    while (rest.n && rest.p[rest.n - 1] == '/')
        rest.n--;
    bool slash = rest.n && memchr(rest.p, '/', rest.n);
    struct slice address = slice_cut(&rest, '/');
    if (!slash || (rest.n && memchr(rest.p, '/', rest.n)))
        return pattern_json_plain(j, j->token_at, "Malformed CIDR, one '/' required");
    if (!read_mask(rest, &bits))
        return pattern_json_plain(j, j->token_at, "Malformed CIDR, mask bits must be an integer");
    if (bits < 0)
        return pattern_json_plain(j, j->token_at, "Malformed CIDR, mask bits must not be negative");
    v->kind = PATTERN_CIDR;
    v->text = operand;
    v->address_bytes = (unsigned char)pattern_address(address, v->address);
    if (!v->address_bytes)
        return pattern_json_plain(j, j->token_at, "%s IP address: %s",
                                  looks_like(address, text, &v4) ? "Invalid" : "Nonstandard",
                                  pattern_json_show(address).text);
    if (bits >= 8 * v->address_bytes)
        return pattern_json_plain(j, j->token_at, "IPv%d mask bits must be < %d",
                                  v->address_bytes == 4 ? 4 : 6, 8 * v->address_bytes);
    v->bits = (unsigned char)bits;
    clear_host(v->address, v->address_bytes, v->bits);
    return true;
}
