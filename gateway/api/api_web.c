/* api_web.c - is this request one of a web page that somebody happens to look at? */
#include "api/api_web.h"

#include <arpa/inet.h>
#include <string.h>

enum { HOST_MAX = 255 };

#define REMEDY "Sign requests (Gateway.AccessKeyId and SecretAccessKey), or ask without a browser."

static const char bad_host[] =
    "The Host of this request is not this machine, which is the only one that the Api listens for. "
    "Use localhost or 127.0.0.1 in the URL, or let Gateway.Api listen on an address that others "
    "reach.";
static const char bad_origin[] =
    "This request comes from a web page of another site (Origin), which may not use an Api without "
    "signatures. " REMEDY;
static const char bad_site[] =
    "This request comes from a web page of another site (Sec-Fetch-Site), which may not use an Api "
    "without signatures. " REMEDY;

/* NUL-terminated, in lower case, without the port, brackets and a final dot; false: it is none. */
static bool plain_host(struct slice text, char out[HOST_MAX + 1])
{
    bool bracket = text.n > 0 && text.p[0] == '[';
    if (bracket)
        text = slice_from(text, 1);
    struct slice host = slice_cut(&text, bracket ? ']' : ':');
    if (bracket && text.n > 0 && text.p[0] != ':')
        return false;
    if (!bracket && host.n > 0 && host.p[host.n - 1] == '.')
        host.n--;
    if (host.n > HOST_MAX)
        return false;
    for (size_t i = 0; i < host.n; i++) {
        char c = host.p[i];
        out[i] = c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
    }
    out[host.n] = '\0';
    return true;
}

static bool is_loopback(const char *host)
{
    struct in_addr v4;
    struct in6_addr v6;
    if (inet_pton(AF_INET, host, &v4) == 1)
        return ntohl(v4.s_addr) >> 24 == 127;
    if (inet_pton(AF_INET6, host, &v6) == 1)
        return IN6_IS_ADDR_LOOPBACK(&v6) || (IN6_IS_ADDR_V4MAPPED(&v6) && v6.s6_addr[12] == 127);
    return strcmp(host, "localhost") == 0 || slice_ends(slice_of(host), ".localhost");
}

static bool is_local_page(struct slice origin)
{
    char host[HOST_MAX + 1];
    bool web = slice_starts(origin, "http://") || slice_starts(origin, "https://");
    (void)slice_cut(&origin, '/');
    (void)slice_cut(&origin, '/');
    return web && plain_host(origin, host) && is_loopback(host);
}

const char *api_web_problem(const char *listen, const struct api_web_request *r)
{
    char host[HOST_MAX + 1];
    if (r->origin.n > 0 && !is_local_page(r->origin))
        return bad_origin;
    /* A picture or a link has no Origin: then this tells. Older browsers do not say it. */
    if (r->origin.n == 0 && slice_is_ci(r->site, "cross-site"))
        return bad_site;
    if (!is_loopback(listen) || r->host.n == 0)
        return NULL;
    return plain_host(r->host, host) && is_loopback(host) ? NULL : bad_host;
}
