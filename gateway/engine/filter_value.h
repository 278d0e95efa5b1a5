/* filter_value.h - does one value of an event meet one alternative of a pattern? Spec 2 and 3; only
 * for filter*.c. Pure. */
#ifndef ENGINE_FILTER_VALUE_H
#define ENGINE_FILTER_VALUE_H

#include "engine/filter_event.h"

/* A leaf, ready to be compared. */
struct filter_view {
    enum filter_kind kind;
    struct slice text; /* of a string its characters, else as written */
    double number;     /* of a number; NAN: no double is it, only its text can be compared */
};

struct filter_view filter_value_view(struct filter_event *, uint32_t leaf);
/* The number that a JSON number is, or NAN (pattern_number). */
double filter_value_number(struct slice literal);
/* ABSENT is met by none. */
bool filter_value_matches(const struct pattern_value *, const struct filter_view *);
/* Some alternative of the field is met. */
bool filter_value_any(const struct pattern_field *, const struct filter_view *);

#endif
