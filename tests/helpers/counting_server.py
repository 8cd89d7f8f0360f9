"""A server that can be killed: ``counting_server.py HOME [JOBS]`` looks after jobs until it is, adding some first."""

import sys
import time
from pathlib import Path

from job_helpers import COUNTING

from deftx.jobs import Scheduler, Store

if __name__ == "__main__":
    store = Store(Path(sys.argv[1]))
    for number in range(int((sys.argv[2:] or ["0"])[0])):
        store.add("count", f"{number} from process {sys.argv[0]}", {"steps": 5})
    with Scheduler(store, interval=0.02, command=COUNTING):
        time.sleep(600)
