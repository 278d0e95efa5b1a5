"""What clients of a queue did and saw, and whether a correct queue can have answered them so."""

import threading
import time

SLACK_S = 0.005  # the server counts in whole milliseconds


class Hand:
    """One message in one receive. It was given out between asked and got; it comes back at the
    earliest when the visibility time after asked has passed, or when its holder lets it go."""

    def __init__(self, asked, got, visibility, message, place):
        self.asked, self.got = asked, got
        self.until = asked + visibility - SLACK_S
        self.receives = int(message["Attributes"]["ApproximateReceiveCount"])
        self.message_id = message["MessageId"]
        self.place = place  # in its receive
        self.freed = None  # its holder began to delete it or to let it go
        self.deleting = False  # freed by a delete, of which nothing may be known
        self.deleted = None  # the delete was acknowledged, well inside the visibility time


class Ledger:
    """Of one queue; for several threads. Times are of one monotonic clock."""

    def __init__(self, visibility):
        self.visibility = visibility
        self.lock = threading.Lock()
        self.sent = {}  # key -> (asked, delay, acknowledged?)
        self.hands = {}  # key -> [Hand], in the order in which they were noted
        self.lost_receives = 0

    def begin_send(self, key, delay=0):
        with self.lock:
            self.sent.setdefault(key, (time.monotonic(), delay, False))

    def end_send(self, keys):
        with self.lock:
            for key in keys:
                asked, delay, _ = self.sent[key]
                self.sent[key] = (asked, delay, True)

    def received(self, asked, got, pairs):
        """pairs: [(key, message)] of one answer; gives the hands."""
        with self.lock:
            hands = []
            for place, (key, message) in enumerate(pairs):
                hand = Hand(asked, got, self.visibility, message, place)
                self.hands.setdefault(key, []).append(hand)
                hands.append(hand)
            return hands

    def receive_lost(self):
        with self.lock:
            self.lost_receives += 1

    @staticmethod
    def begin_free(hand, deleting=False):
        hand.freed = time.monotonic()
        hand.deleting = deleting

    @staticmethod
    def end_delete(hand):
        now = time.monotonic()
        if now < hand.until:
            hand.deleted = now

    # -- what must hold

    def problems(self):
        told = []
        for key, hands in self.hands.items():
            hands.sort(key=lambda hand: hand.got)
            if key not in self.sent:
                told.append(f"{key} was never sent")
                continue
            asked, delay, _ = self.sent[key]
            if hands[0].got < asked + delay - SLACK_S:
                told.append(f"{key} came {asked + delay - hands[0].got:.3f} s before its delay ended")
            told += self._of_one(key, hands)
        return told

    def _of_one(self, key, hands):
        told = []
        counts = [hand.receives for hand in sorted(hands, key=lambda hand: hand.receives)]
        if len(set(counts)) != len(counts) and len({hand.message_id for hand in hands}) == 1:
            told.append(f"{key} has the same receive count twice: {counts}")
        if max(counts) > len(hands) + self.lost_receives:
            told.append(f"{key} was received {len(hands)} times, but counts {counts}")
        for before, after in zip(hands, hands[1:]):
            free = before.until if before.freed is None else min(before.until, before.freed)
            if after.got < free and before.message_id == after.message_id:
                told.append(f"{key} in two hands, {free - after.got:.3f} s too early")
            if before.deleted is not None and after.asked > before.deleted and (
                    before.message_id == after.message_id):
                told.append(f"{key} came again {after.asked - before.deleted:.3f} s after its delete")
            if after.asked > before.got and after.receives <= before.receives and (
                    before.message_id == after.message_id):
                told.append(f"{key} counts {after.receives} receives after {before.receives}")
        return told

    def order_problems(self, group_of):
        """For FIFO queues: group_of(key) gives (group, place in it)."""
        groups, told = {}, []
        for key, hands in self.hands.items():
            group, number = group_of(key)
            groups.setdefault(group, []).extend((hand, number) for hand in hands)
        for group, all_hands in groups.items():
            all_hands.sort(key=lambda pair: (pair[0].got, pair[0].asked, pair[0].place))
            told += self._order_of(group, all_hands)
        return told

    @staticmethod
    def _order_of(group, all_hands):
        told = []
        latest = {}  # number -> its hand so far
        done = 0  # all numbers below were freed for good long ago
        for hand, number in all_hands:
            while done in latest and latest[done].deleted and latest[done].deleted < hand.asked:
                done += 1
            for earlier in range(done, max([number, *latest]) + 1):
                held = latest.get(earlier)
                if earlier == number or (held is not None and held.asked == hand.asked
                                         and held.got == hand.got):
                    if held is not None and earlier > number and held.asked == hand.asked:
                        told.append(f"{group}: {earlier} before {number} in one receive")
                    continue
                if held is None and earlier < number:
                    told.append(f"{group}: {number} came before {earlier}")
                elif held is not None and hand.got < held.until and (
                        held.freed is None or held.freed > hand.got):
                    told.append(f"{group}: {number} came while {earlier} was out")
                elif held is not None and earlier < number and not held.deleting:
                    told.append(f"{group}: {number} came before {earlier} came again")
            latest[number] = hand
        return told

    # -- what is left

    def left(self):
        """(least, most): how many messages the queue may hold when nobody is busy with it."""
        least = most = 0
        for key, (_, _, acknowledged) in self.sent.items():
            hands = self.hands.get(key, [])
            most += not any(hand.deleted for hand in hands)
            least += acknowledged and not any(hand.deleting for hand in hands)
        return least, most

    def lost(self):
        """Acknowledged, and never in the hand of one who then deleted it."""
        return sorted(key for key, (_, _, acknowledged) in self.sent.items()
                      if acknowledged and not any(hand.deleting for hand in self.hands.get(key, [])))

    def times_received(self):
        with self.lock:
            return sum(len(hands) for hands in self.hands.values())
