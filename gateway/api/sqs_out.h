/* sqs_out.h - writes an answer once for both protocols: JSON, or the flattened lists and maps of
 * the query protocol's XML. For sqs_*.c. */
#ifndef API_SQS_OUT_H
#define API_SQS_OUT_H

#include "base/json_out.h"

struct sqs_out {
    struct buf buf;
    bool xml;
    struct json_out json;
    const char *element; /* XML: of the list that is open */
    const char *pair[3]; /* XML: of the map that is open: element, key, value */
};

/* XML elements of maps. */
#define SQS_OUT_ATTRIBUTE "Attribute", "Name", "Value"
#define SQS_OUT_TAG       "Tag", "Key", "Value"

void sqs_out_init(struct sqs_out *, bool xml, size_t likely_bytes);
void sqs_out_free(struct sqs_out *); /* harmless after the buf was given away */

void sqs_out_text(struct sqs_out *, const char *name, struct slice);
void sqs_out_cstr(struct sqs_out *, const char *name, const char *);
void sqs_out_i64(struct sqs_out *, const char *name, int64_t);
void sqs_out_bool(struct sqs_out *, const char *name, bool);

/* A list of structures: each between item and item_end, or of texts. */
void sqs_out_list(struct sqs_out *, const char *name, const char *element);
void sqs_out_item(struct sqs_out *);
void sqs_out_item_end(struct sqs_out *);
void sqs_out_item_text(struct sqs_out *, struct slice);
void sqs_out_list_end(struct sqs_out *);

/* A map of texts. */
void sqs_out_map(struct sqs_out *, const char *name, const char *element, const char *key,
                 const char *value);
void sqs_out_pair(struct sqs_out *, struct slice key, struct slice value);
void sqs_out_pair_i64(struct sqs_out *, const char *key, int64_t value);
void sqs_out_map_end(struct sqs_out *);

/* XML only. */
void sqs_out_open(struct sqs_out *, const char *element);
void sqs_out_close(struct sqs_out *, const char *element);
void sqs_out_escape(struct buf *, struct slice);

#endif
