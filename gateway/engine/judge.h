/* judge.h - turns the reply to a batch into decisions, by policy and the kind of source. */
#ifndef ENGINE_JUDGE_H
#define ENGINE_JUDGE_H

struct batch;

/* b->delivery.reply is in. Ends in batch_finish, batch_retry or batch_dissolve. */
void judge(struct batch *b);

#endif
