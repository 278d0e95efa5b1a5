/* queue_load.h - from notes and rows to queues, at start. */
#ifndef ENGINE_QUEUE_LOAD_H
#define ENGINE_QUEUE_LOAD_H

#include "engine/queue_state.h"

bool queue_load(struct queues *, struct error *);

#endif
