/* criteria_view.h - parts of patterns by what they ask of the data; only for criteria*.c. */
#ifndef ENGINE_CRITERIA_VIEW_H
#define ENGINE_CRITERIA_VIEW_H

#include "engine/criteria_data.h"
#include "engine/pattern.h"

/* Some branches of a pattern, or what is left of them without the data key. */
struct criteria_view {
    struct pattern pattern; /* borrows from the pattern it is cut of, and from the views' arena */
    size_t filter;          /* number of that pattern */
    unsigned kinds;         /* enum criteria_kind: it counts when the data is one of these */
};

struct criteria_views {
    struct arena arena;
    struct criteria_view *v;
    size_t n;
    unsigned always; /* kinds of data with which every record passes */
    bool looks;      /* some branch asks for the data */
    bool texts;      /* some branch asks for it as a whole */
};

void criteria_view_init(struct criteria_views *);
void criteria_view_free(struct criteria_views *);
/* Cuts one pattern, which must outlive the views. */
void criteria_view_cut(struct criteria_views *, const struct criteria_data *,
                       const struct pattern *, size_t filter);
/* The views as patterns, in their order; lives as long as they. */
const struct pattern *const *criteria_view_patterns(struct criteria_views *);

#endif
