"""One rate for all processes that use it at the same time. Arithmetic only; where they keep it is the place's job.

The pacer itself is what they share: whoever wants a slot takes it out of its place, asks it, and puts it back. So it is
as exact as in one process, what one learns or is refused all know, and nobody needs to lead. Beside it stand its users:
those of the last seconds decide which rate holds, and let each other go first in turn.
"""

from array import array
from collections.abc import Callable
from typing import Protocol

import msgspec

from orchestrator.executor.rate.auto_rate import auto_pacer
from orchestrator.executor.rate.fixed_rate import WindowPacer
from orchestrator.executor.rate.pacer import Sent
from orchestrator.executor.rate.shared import AnyPacer, Shared, User
from orchestrator.executor.rate.slots_ahead import SlotsAhead
from orchestrator.model.reply.reply import Quota

#: A caller that waits looks so often, for others come and go, and are told to pause.
_LOOK_S = 1.0
#: Another process has the place for some microseconds.
_AGAIN_S = 0.002
#: As many calls as can matter, for a second in which nobody knows what left.
_UNKNOWN = 1000
#: So many things seen are put into the place at once, if nobody claims a slot before.
_SEEN = 100


class RatePlace(Protocol):
    """Where the processes that share a rate keep it."""

    def exchange(self, act: Callable[[bytes], bytes]) -> bool:
        """Put there what `act` makes of what is there, nothing at first; no other process comes in between.

        It never waits and never fails: where nothing can be shared, this process shares with itself.

        Returns:
            Whether it was done. If not, another process has the place just now, and `act` was not called.
        """

    def due(self, now_s: float, rate: float | None) -> float:
        """After how many seconds a slot comes that other hosts leave to this process; 0: now, or there are none.

        Args:
            now_s: monotonic seconds.
            rate: calls per second as the plan has it; None when it is to be found out, by each host for itself.
        """

    def took(self, *, waited: bool) -> None:
        """The slot that was due is used. `waited`: the caller stood in line, so another one is wanted soon."""

    def close(self) -> None:
        """Nothing comes any more."""


class SharedPacer:
    """When the next request of this process may leave, at a rate that it shares with others; a `Pacer`.

    Args:
        place: where they keep it.
        name: of this user; no other has the same.
        rate: calls per second as the plan has it; None when it is to be found out. The lowest number of those that use
            it at the same time holds; it is found out only if none has a number.
        learned: what an earlier run found.
        warn: called with a sentence when what lies in the place cannot be used.
    """

    def __init__(
        self,
        place: RatePlace,
        name: str,
        rate: float | None,
        learned: float | None = None,
        warn: Callable[[str], None] = lambda _why: None,
    ) -> None:
        self._place, self._name, self._rate, self._learned, self._warn = place, name, rate, learned, warn
        self._shared = Shared(self._begun(rate))
        self._content: bytes | None = None  # that this is, in the place
        self._seen: list[Callable[[AnyPacer], None]] = []
        self._ahead = SlotsAhead()

    @property
    def rate(self) -> float:
        """The pace in force, requests per second, of all together."""
        return self._shared.pacer.rate

    @property
    def nominal(self) -> float:
        """The rate that is kept to when nothing is refused, and that the report states."""
        return self._shared.pacer.nominal

    @property
    def learned(self) -> float | None:
        """What the cloud was found to bear; None when nothing was found out."""
        return self._shared.pacer.learned

    @property
    def held_until(self) -> float:
        """Nothing leaves before this instant, because the cloud asked for a pause: this process, or another one."""
        return self._shared.pacer.held_until

    def claim(self, now_s: float, *, waited: bool) -> float:
        """As `Pacer.claim`."""
        if (ahead_s := self._ahead.delay_s(now_s)) is not None:
            return self._use_ahead(max(ahead_s, self._place.due(now_s, self._rate)), waited=waited)
        own_s = self._shared.pacer.earliest() - now_s
        if own_s > 0 and self._alone(now_s):
            return min(own_s, _LOOK_S)
        if (due_s := self._place.due(now_s, self._rate)) > 0:
            return min(due_s, _LOOK_S)
        delay_s = _AGAIN_S

        def ask(shared: Shared) -> None:
            nonlocal delay_s
            delay_s = shared.claim(self._name, now_s, waited=waited)
            if delay_s == 0 and isinstance(shared.pacer, WindowPacer) and shared.in_use(now_s).keys() == {self._name}:
                self._ahead.take(shared.pacer, now_s)

        self._exchange(ask, now_s)
        if delay_s == 0:
            self._place.took(waited=waited)
        return min(delay_s, _LOOK_S)

    def _use_ahead(self, delay_s: float, *, waited: bool) -> float:
        if delay_s == 0:
            self._ahead.use()
            self._place.took(waited=waited)
        return min(delay_s, _LOOK_S)

    def answered(self, sent_s: float, now_s: float, kind: str = "") -> None:
        """As `Pacer.answered`. The others learn it with the next claim."""
        if isinstance(self._shared.pacer, WindowPacer):  # it draws no conclusions
            return
        self._seen.append(lambda pacer: pacer.answered(sent_s, now_s, kind))
        if len(self._seen) >= _SEEN:
            self._exchange(_nothing, now_s)

    def throttle(
        self,
        now_s: float,
        wait_s: float,
        *,
        sent_s: float | None = None,
        server_named_pause: bool = True,
        quota: Quota | None = None,
    ) -> None:
        """As `Pacer.throttle`. It holds for this process at once, and for the others as soon as the place is free."""

        def refused(pacer: AnyPacer) -> None:
            pacer.throttle(now_s, wait_s, sent_s=sent_s, server_named_pause=server_named_pause, quota=quota)

        self._ahead.drop()
        self._seen.append(refused)
        if not self._exchange(_nothing, now_s):
            refused(self._shared.pacer)
            self._content = None

    def keep_to(self, rate: float | None) -> None:
        """Another rate than the plan's, from the next claim on; None: it is to be found out."""
        self._rate = rate
        self._ahead.drop()

    def leave(self, now_s: float) -> None:
        """This process makes no more calls."""
        self._exchange(lambda shared: shared.users.pop(self._name), now_s)
        self._place.close()

    def _alone(self, now_s: float) -> bool:
        """Whether nobody else used the rate a moment ago. Who came since cannot have made the next slot earlier."""
        if self._content is None or now_s - self._shared.users[self._name].seen_s >= _LOOK_S:
            return False
        return self._shared.in_use(now_s).keys() == {self._name}

    def _exchange(self, ask: Callable[[Shared], object], now_s: float) -> bool:
        def act(content: bytes) -> bytes:
            shared = self._taken_out(content, now_s)
            for tell in self._seen:
                tell(shared.pacer)
            self._seen.clear()
            ask(shared)
            self._shared, self._learned = shared, shared.pacer.learned or self._learned
            self._content = _encoder.encode(shared)
            return self._content

        return self._place.exchange(act)

    def _taken_out(self, content: bytes, now_s: float) -> Shared:
        """What lies in the place, with this user in it and the pacer that is right for all."""
        shared = self._shared if content and content == self._content else self._read(content, now_s)
        first = not shared.users
        user = shared.users.setdefault(self._name, User(self._rate))
        user.rate, user.seen_s = self._rate, now_s
        numbers = [user.rate for user in shared.in_use(now_s).values() if user.rate is not None]
        self._choose(shared, min(numbers, default=None), begin=first)
        return shared

    def _read(self, content: bytes, now_s: float) -> Shared:
        if not content:
            return Shared(self._begun(self._rate))
        try:
            shared = _decoder.decode(content)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            self._warn("the rate that processes share was damaged, and begins again")
        else:
            if shared.plausible(now_s):
                shared.forget(now_s)
                return shared
        begun = self._begun(self._rate)
        begun.succeed(array("d", [now_s] * _UNKNOWN), now_s)  # nobody knows what left in the last second
        return Shared(begun)

    def _choose(self, shared: Shared, number: float | None, *, begin: bool) -> None:
        """Put the right pacer there: for the lowest number, or one that finds the rate out."""
        pacer = shared.pacer
        if begin or isinstance(pacer, WindowPacer) is (number is None):
            shared.pacer = self._begun(number)
            shared.pacer.succeed(pacer.sent, pacer.held_until)
        elif isinstance(pacer, WindowPacer) and number is not None:
            pacer.nominal = number

    def _begun(self, number: float | None) -> AnyPacer:
        return auto_pacer(self._learned) if number is None else WindowPacer(number)


def _nothing(_shared: Shared) -> None:
    pass


def _packed(value: object) -> bytes:
    if isinstance(value, array):
        return value.tobytes()
    raise TypeError(type(value).__name__)


def _unpacked(_kind: type, value: object) -> Sent:
    if not isinstance(value, bytes):
        raise TypeError(type(value).__name__)
    return array("d", value)


_encoder = msgspec.msgpack.Encoder(enc_hook=_packed)
_decoder = msgspec.msgpack.Decoder(Shared, dec_hook=_unpacked)
