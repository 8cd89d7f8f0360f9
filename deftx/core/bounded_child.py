"""The process of a bounded call: ``python -m deftx.core.bounded_child``, with the request on stdin and the answer on stdout."""

import math
import os
import pkgutil
import sys
import threading
import time
from typing import Any

from deftx.core.errors import DeftxError
from deftx.core.plain import from_json, to_json

LOOK_EVERY = 1.0  # seconds between two looks at whether the parent still runs


def main() -> None:
    """Answer one request."""
    request = from_json(sys.stdin.read())
    threading.Thread(target=_end_with, args=(request["parent"],), daemon=True).start()
    # Whatever a library prints is not part of the answer.
    answers = os.dup(1)
    os.dup2(2, 1)
    function = pkgutil.resolve_name(request["call"])
    limit_memory(request["memory"])
    with open(answers, "w", encoding="ascii") as stream:
        stream.write(answer(function, *request["arguments"]))


def answer(function: Any, arguments: list[Any], options: dict[str, Any]) -> str:
    """Call a function and return its result, or what it raised, as JSON."""
    try:
        return to_json({"kind": "result", "value": function(*arguments, **options)})
    except MemoryError:
        pass  # outside of the block, what filled the memory is free again
    except DeftxError as error:
        return to_json({"kind": "error", "error": _plain_kind(error), "message": str(error)})
    except OSError as error:
        return to_json({"kind": "disk", "arguments": (error.errno, error.strerror)})
    return to_json({"kind": "memory"})


def limit_memory(size: float) -> None:
    """Allow this process so many bytes more than it has now; without effect where the system does not tell its size."""
    if math.isinf(size) or not os.path.exists("/proc/self/status"):
        return
    import resource  # Windows has none

    with open("/proc/self/status", encoding="ascii") as status:
        now = next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmData"))
    # Private memory that can be written to: unlike RLIMIT_AS, it does not count what libraries only reserve.
    _, most = resource.getrlimit(resource.RLIMIT_DATA)
    wanted = now + int(size)
    resource.setrlimit(resource.RLIMIT_DATA, (wanted if most == resource.RLIM_INFINITY else min(wanted, most), most))


def _plain_kind(error: DeftxError) -> type[DeftxError]:
    """Return the error's class if a message is all that it takes, otherwise that of the family."""
    kind = type(error)
    return kind if kind.__init__ is DeftxError.__init__ and kind.__module__.startswith("deftx.") else DeftxError


def _end_with(parent: int) -> None:
    """End this process when the one that started it is gone: nobody would read the answer."""
    while os.getppid() == parent:
        time.sleep(LOOK_EVERY)
    os._exit(1)


if __name__ == "__main__":
    main()
