"""How many threads of torch a sentence is classified with."""

import torch

from deftx.jobs import Store, state_of


class Threads:
    """The number of threads: torch's own, or one while training runs on the same processors.

    An operation on several threads ends when each of them has had a processor. Beside a training run they wait for one, hundreds of
    times for each sentence (docs/load.md).
    """

    def __init__(self, store: Store) -> None:
        """Use the training runs of this store, which is that of all people."""
        self._store, self._all = store, torch.get_num_threads()

    def set(self) -> None:
        """Set the number for this thread of Python; torch keeps it for each of them."""
        trains = self._all > 1 and any(state_of(job).active for job in self._store.list())
        torch.set_num_threads(1 if trains else self._all)
