/* function_delivery.h - what sink.c owes function.c when a delivery ends; nobody else includes it.
 */
#ifndef ENGINE_FUNCTION_DELIVERY_H
#define ENGINE_FUNCTION_DELIVERY_H

struct delivery;

/* Gives the slot back and counts the outcome; nothing when the delivery is not to a function. */
void function_delivery_ended(struct delivery *);

#endif
