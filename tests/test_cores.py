"""How many cores a process may use."""

import os

import pytest

from colorize.cores import usable_cores


def test_the_cores_of_the_affinity_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 3, 5}, raising=False)
    assert usable_cores() == 3


@pytest.mark.parametrize(("known", "cores"), [(12, 12), (None, 1)])
def test_without_an_affinity_all_of_the_machine_do(
    monkeypatch: pytest.MonkeyPatch, known: int | None, cores: int
) -> None:
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: known)
    assert usable_cores() == cores
