/* mailbox.h - a list handed from one thread to another: the only lock of the program. Taking takes
 * everything at once, which is what makes group commit fall out of load. */
#ifndef IO_MAILBOX_H
#define IO_MAILBOX_H

#include "base/error.h"
#include "base/list.h"

struct mailbox;

struct mailbox *mailbox_new(struct error *);
void mailbox_free(struct mailbox *); /* empty */
/* Any thread. One wake-up for each time it was empty. */
void mailbox_post(struct mailbox *, struct list *item);
void mailbox_post_all(struct mailbox *, struct list *items); /* in order; items is empty then */
/* The receiving thread: moves all items to the end of out; returns at once. */
void mailbox_take(struct mailbox *, struct list *out);
/* The receiving thread: sleeps until something is there or timeout_ms passed (-1: for ever). */
void mailbox_wait(struct mailbox *, int timeout_ms);
int mailbox_fd(const struct mailbox *); /* readable while something is there; for a watch */

#endif
