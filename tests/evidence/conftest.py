"""What the files here share: the processes of ``side_by_side`` are forked from the one that has imported everything."""

import forked
import pytest


@pytest.fixture(scope="session", autouse=True)
def _imported():
    forked.ready()
