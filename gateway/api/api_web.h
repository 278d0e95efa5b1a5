/* api_web.h - keeps pages that a browser shows away from an Api that asks for no signature: by
 * names that point to this machine (DNS rebinding), and by requests across sites, which need no
 * permission when they are forms or pictures. Programs send none of these headers but Host. */
#ifndef API_API_WEB_H
#define API_API_WEB_H

#include "base/slice.h"

struct api_web_request {
    struct slice host, origin, site; /* Host, Origin, Sec-Fetch-Site; empty: absent */
};

/* NULL: go on; else one sentence that says why not, and what helps. listen is the numeric address
 * that the Api listens on: on loopback Host must be loopback too, beyond it any name may be ours.
 */
const char *api_web_problem(const char *listen, const struct api_web_request *);

#endif
