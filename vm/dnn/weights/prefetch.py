"""Prefetch: while a layer computes, a second thread reads and prepares the weight blocks of the layers to come.

Which they are is found by looking ahead in the code (``lookahead``). Nothing that a program could see depends on it:
the main thread alone asks the state for entries, pays gas and marks blocks as accessed, when the program gets there.
The second thread is given entries, which never change, and makes of them what the main thread would have to make: one
that is made when the program needs it is taken, one that is being made is waited for (and the next one made
meanwhile), all others are made then.
A block that the program overwrites before it uses it is another entry, so what was prepared of the old one is not
used.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from smartvm.errors import SmartVMError
from smartvm.vm.dnn.weights.block_cache import BlockCache
from smartvm.vm.dnn.weights.blocks import WeightBlock
from smartvm.vm.dnn.weights.lookahead import Lookahead, UpcomingInstruction
from smartvm.vm.state.blocks import BlockEntry

if TYPE_CHECKING:
    from concurrent.futures import Future, ThreadPoolExecutor

#: Bytes of entries that are ahead of the program at a time; one entry may be larger.
AHEAD_BYTES = 1 << 28
#: Smaller entries are left to the program: handing them over takes as long as reading them.
LEAST_BYTES = 1 << 12
#: Looking ahead takes time that no instruction is charged for. So it may take as much as ordinary instructions would
#: for the gas that the transaction's DNN instructions have paid: gas for following an instruction (a microsecond),
#: and for finding a block's entry in a state on disk.
GAS_PER_STEP = 250
GAS_PER_ENTRY = 5000
#: Instructions that are followed: as many of these as are paid for.
_WALKS = (2000, 500, 100)

#: Makes of a block what an instruction will need of it, given between which the items of its map most likely are.
Preparation = Callable[[UpcomingInstruction, WeightBlock, tuple[int, int]], None]


class Prefetcher:
    """Prefetches for one machine. All methods are the main thread's; the second thread is started when there is
    something to do and ends with the machine."""

    def __init__(
        self, lookahead: Lookahead, cache: BlockCache, prepare: Preparation, ahead_bytes: int = AHEAD_BYTES
    ) -> None:
        self._lookahead = lookahead
        self._cache = cache
        self._prepare = prepare
        self._limit = min(ahead_bytes, cache.limit // 2)
        self._executor: ThreadPoolExecutor | None = None
        self._tasks: deque[tuple[Future[None], Callable[[], None]]] = deque()
        #: Gas that DNN instructions of this transaction have paid, less what looking ahead took.
        self.credit = 0
        #: Between which the items of the map are that the program is at: those of the maps to come are alike.
        self.ends = (0, 0)
        self._frame: object = None
        self._coming: deque[UpcomingInstruction] = deque()
        self._ahead: deque[tuple[int, int]] = deque()  # block ids and sizes that the program has not come to yet
        self._ahead_bytes = 0

    def follows(self, frame: object) -> bool:
        """Whether the frame's code was looked through."""
        return self._frame is frame

    def reached(
        self,
        frame: object,
        block_id: int,
        find: Callable[[int], BlockEntry | None],
        position: Callable[[], tuple[bytes, int, Sequence[int]]],
    ) -> None:
        """The frame's program uses a block: have those prepared that it comes to next. ``find`` gives the state's
        entry of a block of this frame; ``position`` code, program counter and stack behind the instruction."""
        foreseen = self._frame is frame and self._advance(block_id)
        is_last = not self._coming and not self._ahead
        if (is_last or not foreseen) and not self._walk(frame, position):
            return
        while self._coming and (self._ahead_bytes < self._limit or not self._ahead):
            if self.credit < GAS_PER_ENTRY:
                return
            self.credit -= GAS_PER_ENTRY
            self._have_prepared(self._coming.popleft(), find)

    def _advance(self, block_id: int) -> bool:
        """Go on to the use of a block; whether it was foreseen."""
        while self._ahead:
            ahead_id, size = self._ahead.popleft()
            self._ahead_bytes -= size
            if ahead_id == block_id:
                return True
        while self._coming:
            if self._coming.popleft().block_id == block_id:
                return True
        return False

    def _walk(self, frame: object, position: Callable[[], tuple[bytes, int, Sequence[int]]]) -> bool:
        self.forget()
        self._frame = frame
        steps = next((count for count in _WALKS if count * GAS_PER_STEP <= self.credit), 0)
        if steps == 0:
            return False
        self.credit -= steps * GAS_PER_STEP
        code, program_counter, stack = position()
        found = self._lookahead.upcoming(code, program_counter, stack, steps=steps)
        self._coming.extend(upcoming for upcoming in found if upcoming.block_id is not None)
        return True

    def _have_prepared(self, upcoming: UpcomingInstruction, find: Callable[[int], BlockEntry | None]) -> None:
        block_id = upcoming.block_id
        assert block_id is not None
        entry = find(block_id)
        size = 0
        if entry is not None:
            block = self._cache.block(entry)
            if not block.is_ready and entry.size >= LEAST_BYTES:
                size = entry.size
                self._submit(upcoming, block)
        self._ahead.append((block_id, size))
        self._ahead_bytes += size

    def _submit(self, upcoming: UpcomingInstruction, block: WeightBlock) -> None:
        if self._executor is None:
            # imported on use: programs without weights need no second thread
            from concurrent.futures import ThreadPoolExecutor

            self._executor = ThreadPoolExecutor(1, "smartvm-prefetch")
        prepare, ends = self._prepare, self.ends

        def task() -> None:
            # what fails here will fail for the program itself, when it gets there
            with suppress(SmartVMError, OSError, MemoryError, ValueError):
                block.make_ahead(lambda: prepare(upcoming, block, ends), self._help)

        while self._tasks and self._tasks[0][0].done():
            self._tasks.popleft()
        self._tasks.append((self._executor.submit(task), task))

    def _help(self) -> None:
        """The program waits for a block that the second thread is at: make the next one meanwhile."""
        while self._tasks:
            future, task = self._tasks.popleft()
            if future.cancel():
                task()
                return

    def forget(self) -> None:
        """Drop what was foreseen, and preparations that have not begun."""
        for future, _ in self._tasks:
            future.cancel()
        self._tasks.clear()
        self._coming.clear()
        self._ahead.clear()
        self._ahead_bytes = 0
        self._frame = None

    def end_transaction(self) -> None:
        """The transaction is over."""
        if self._frame is not None:
            self.forget()
        self.credit = 0

    def close(self) -> None:
        """End the second thread; it is started again if need be."""
        self.forget()
        executor, self._executor = self._executor, None
        if executor is not None:
            executor.shutdown(wait=True, cancel_futures=True)


def prepare_ahead(upcoming: UpcomingInstruction, block: WeightBlock, ends: tuple[int, int]) -> None:
    """Make the layout that the instruction's kernel will most likely want, else the array."""
    # imported on use: programs without DNN instructions need no compiled kernels
    from smartvm.vm.dnn.platforms.dispatcher import load_block
    from smartvm.vm.dnn.shapes import shape_of

    operands = [operand for operand in upcoming.operands if operand is not None]
    if len(operands) == len(upcoming.operands):
        shape = shape_of(upcoming.instruction.name, operands)
        if shape is not None and shape.kernels * shape.terms == block.count:
            load_block(block, shape, ends)
    if not block.is_ready:
        _ = block.array
