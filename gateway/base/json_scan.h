/* json_scan.h - JSON read in place, byte by byte, without building anything: for readers that know
 * what they look for. Strict as json_valid: RFC 8259, UTF-8, depth 200; a lone surrogate that is
 * escaped is taken. Every function that fails leaves p where the text is wrong. */
#ifndef BASE_JSON_SCAN_H
#define BASE_JSON_SCAN_H

#include "base/slice.h"

enum { JSON_SCAN_DEPTH = 200 };

struct json_scan {
    const char *p, *end;
    unsigned depth; /* objects and arrays that are open at p */
    char closers[JSON_SCAN_DEPTH];
};

void json_scan_init(struct json_scan *, struct slice text); /* borrows text */

/* p stands at a quote: *raw is what is between the quotes, as it is written. */
bool json_scan_string(struct json_scan *, struct slice *raw, bool *escapes) MUST_CHECK;
/* p stands at the value (no blanks): passes over it, whatever it is. */
bool json_scan_value(struct json_scan *) MUST_CHECK;
/* p stands at the bracket: it is open from here on; false: too deep. */
bool json_scan_open(struct json_scan *) MUST_CHECK;
/* After a value inside of what was opened last: behind its comma (*more), or behind its closing
 * bracket. Blanks are passed over before and after. */
bool json_scan_comma(struct json_scan *, bool *more) MUST_CHECK;
/* Right behind an opening bracket: is it closed again at once? Then it is passed over. */
bool json_scan_empty(struct json_scan *);
/* p stands before a name or blanks: to its value. */
bool json_scan_name(struct json_scan *, struct slice *raw, bool *escapes) MUST_CHECK;
void json_scan_blanks(struct json_scan *);

/* Undoes the escapes of a string that was scanned; out takes raw.n bytes. A lone surrogate becomes
 * its three bytes (WTF-8), which no valid UTF-8 holds. Returns how many bytes were written. */
size_t json_scan_unescape(struct slice raw, char *out);

#endif
