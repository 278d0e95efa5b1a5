/* names.h - words of AWS that this build does not take, why, and the nearest word that it does. */
#ifndef CONFIG_NAMES_H
#define CONFIG_NAMES_H

#include "base/arena.h"
#include "base/slice.h"

enum names_place {
    NAMES_FILE,     /* top level of the file */
    NAMES_GATEWAY,  /* members of Gateway */
    NAMES_FUNCTION, /* properties of AWS::Serverless::Function, members of CreateFunction */
    NAMES_EVENT,    /* properties of SAM's events, members of CreateEventSourceMapping */
    NAMES_SERVICE,  /* service names */
    NAMES_QUEUE,    /* properties of AWS::SQS::Queue */
};

struct names_entry {
    const char *name;
    const char *why; /* what is behind "NAME is not supported"; NULL: by this build */
};

/* Terminated by a NULL name; sorted by name. Asked only for names that no option table has. */
const struct names_entry *names_of(enum names_place);
/* The whole refusal, or NULL when the name means nothing there. */
const char *names_refusal(enum names_place, struct slice name, struct arena *);
/* The same for a property of an event whose source takes SQS's members: AWS's own text where the
 * member exists but belongs to other kinds of event source. */
const char *names_event_refusal(const char *event_type, struct slice name, struct arena *);
/* SAM's event types, ours included; NULL-terminated. */
extern const char *const names_event_types[];

/* The candidate that word most likely meant, or NULL. Letter case, - and _ do not count. */
const char *names_nearest(struct slice word, const char *const *candidates);

#endif
