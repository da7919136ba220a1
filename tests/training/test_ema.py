"""Averaged weights in processes that are spawned."""

import pickle

import torch

from colorize.training.callbacks import EMA


def test_an_average_can_be_sent_to_a_spawned_process() -> None:
    ema = pickle.loads(pickle.dumps(EMA(0.5)))
    averaged, current = torch.zeros(2), torch.ones(2)
    ema._kwargs["multi_avg_fn"]([averaged], [current], torch.tensor(1000))
    assert averaged.tolist() == [0.5, 0.5]
