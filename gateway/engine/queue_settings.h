/* queue_settings.h - settings and tags of a queue: copies that own their texts, and JSON. */
#ifndef ENGINE_QUEUE_SETTINGS_H
#define ENGINE_QUEUE_SETTINGS_H

#include "base/json_in.h"
#include "base/json_out.h"
#include "engine/queue.h"

void queue_settings_copy(struct queue_settings *to, const struct queue_settings *from);
void queue_settings_free(struct queue_settings *);
void queue_settings_write(struct json_out *, const struct queue_settings *);
void queue_settings_read(struct queue_settings *, const struct json *); /* a new copy */

void queue_tags_copy(struct option_map *to, const struct option_map *from);
void queue_tags_free(struct option_map *);
void queue_tags_write(struct json_out *, const struct option_map *);
void queue_tags_read(struct option_map *, const struct json *); /* a new copy */

#endif
