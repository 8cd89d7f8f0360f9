"""A container's entry point over counting workers: told to end, it saves; started again, its jobs go on."""

import time

from job_helpers import scheduler

from deftx.core.logs import set_up
from deftx.jobs import Store
from deftx.jobs.container import Container

if __name__ == "__main__":
    set_up(default="json")
    container = Container()
    store = Store()
    looking = scheduler(store)
    container.manage(store, looking)
    looking.start()
    while True:
        time.sleep(0.1)
