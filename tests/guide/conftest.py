"""Fixtures: machines running `warmfront serve`, and both versions of the AWS CLI."""

import itertools

import pytest

from clients import Cli
from machine import Machine
from website import make_website


@pytest.fixture(scope="session")
def start(tmp_path_factory):
    """Starts further machines; all are stopped, and must stop properly, when the tests are over."""
    numbers = itertools.count()
    machines = []

    def starter(*options, data=None):
        data = data or tmp_path_factory.mktemp("machine") / f"data-{next(numbers)}"
        machines.append(Machine(data, list(options)).start())
        return machines[-1]

    yield starter
    statuses = [machine.stop() for machine in machines]
    assert all(status in (0, -9) for status in statuses), f"exit statuses: {statuses}"


@pytest.fixture(scope="module")
def machine(start):
    """The machine that the tests of a file share; each makes a bucket and a distribution of its own there.

    Not for the whole session: an account has 100 origin access controls at most.
    """
    return start()


@pytest.fixture(scope="module")
def manual(start):
    """A machine on which time passes by command."""
    return start("--clock", "manual")


@pytest.fixture(params=["v1", "v2"])
def version(request):
    """Of the AWS CLI."""
    return request.param


@pytest.fixture
def cli(version, machine):
    return Cli(version, machine)


@pytest.fixture
def website(machine):
    return make_website(machine)
