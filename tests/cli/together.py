"""The environments of processes that make one training or one album together, as the machines of a cluster would."""

import socket


def port() -> str:
    """A port of the loopback that is free."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return str(free.getsockname()[1])


def as_torchrun() -> list[dict[str, str]]:
    """The environments of two processes that torchrun starts on one machine."""
    meet = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port(), "TORCHELASTIC_RUN_ID": "test", "WORLD_SIZE": "2"}
    same = {**meet, "GROUP_RANK": "0", "LOCAL_WORLD_SIZE": "2"}
    return [{**same, "RANK": str(rank), "LOCAL_RANK": str(rank)} for rank in range(2)]


def as_nodes() -> list[dict[str, str]]:
    """What a user sets on each of two machines."""
    meet = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port()}
    return [{**meet, "NODE_RANK": str(rank)} for rank in range(2)]
