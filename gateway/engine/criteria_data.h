/* criteria_data.h - the data of a record as filters see it; only for criteria*.c. */
#ifndef ENGINE_CRITERIA_DATA_H
#define ENGINE_CRITERIA_DATA_H

#include "engine/criteria.h"

/* What the data is; a bit each, so that a pattern can name several. */
enum criteria_kind {
    CRITERIA_ABSENT = 1 << 0, /* not there, or null */
    CRITERIA_TEXT = 1 << 1,   /* also a bare JSON scalar: 5, "x" */
    CRITERIA_JSON = 1 << 2,   /* an object or an array */
    CRITERIA_BINARY = 1 << 3, /* not base64 where it should be, or no UTF-8 behind it */
    CRITERIA_ANY = 15,
};

struct criteria_value {
    enum criteria_kind kind;
    struct slice text; /* of TEXT and JSON: points into the record or into the scratch */
};

/* Memory that is used again for every record. */
struct criteria_scratch {
    struct buf unescaped, decoded;
};

void criteria_data_init(struct criteria_scratch *);
void criteria_data_free(struct criteria_scratch *);
/* record: finished JSON, as sources write it (keys without escapes). Valid until the next call. */
struct criteria_value criteria_data_find(struct criteria_scratch *, const struct criteria_data *,
                                         struct slice record);

#endif
