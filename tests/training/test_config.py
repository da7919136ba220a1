"""The configuration as a run uses it: paths written out, precision chosen, config.yaml saved."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from omegaconf import OmegaConf

from colorize.errors import ColorizeError
from colorize.training.config import expand_paths, resolve_precision, save_config
from colorize.training.folder import run_name

SAVE = """
import sys
from omegaconf import OmegaConf
from colorize.training.config import save_config
save_config(OmegaConf.create({"run_dir": sys.argv[1]}))
"""


def test_home_is_written_out_in_every_path_of_the_training(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ada")
    written = {
        "ckpt_path": "~/a.ckpt",
        "run_dir": "~/runs/1",
        "model": {"init_from": "~/b.ckpt", "encoder_weights": "~"},
    }
    cfg = OmegaConf.create({**written, "callbacks": {"path": "${run_dir}/curves.png"}})
    expand_paths(cfg)
    assert (cfg.ckpt_path, cfg.model.init_from) == ("/home/ada/a.ckpt", "/home/ada/b.ckpt")
    assert cfg.model.encoder_weights == "/home/ada"
    assert cfg.callbacks.path == "/home/ada/runs/1/curves.png"
    without = OmegaConf.create(
        {"ckpt_path": None, "run_dir": "runs/~1", "model": {"init_from": None, "encoder_weights": None}}
    )
    expand_paths(without)
    assert without == {"ckpt_path": None, "run_dir": "runs/~1", "model": {"init_from": None, "encoder_weights": None}}
    nobody = OmegaConf.create({**written, "ckpt_path": "~nobody1/a.ckpt"})
    expand_paths(nobody)
    assert nobody.ckpt_path == "~nobody1/a.ckpt"


@pytest.mark.parametrize(
    ("fit", "ckpt_path", "init_from", "expected"),
    [
        (True, None, None, "lab_unet_scenes"),
        (True, "runs/12-30_rgb_cae/checkpoints/last.ckpt", None, "lab_unet_scenes"),
        (True, None, "photographs", "lab_unet_scenes"),
        (False, "runs/12-30_rgb_cae/checkpoints/best.ckpt", None, "evaluate_12-30_rgb_cae_on_scenes"),
        (False, "runs/12-30_rgb_cae/checkpoints/best.ckpt", "photographs", "evaluate_12-30_rgb_cae_on_scenes"),
        (False, "/else where/a=b.ckpt", None, "evaluate_a_b_on_scenes"),
        (False, None, "photographs", "evaluate_photographs_on_scenes"),
        (False, None, "hf://ada/colours@v1", "evaluate_colours_v1_on_scenes"),
        (False, None, None, "lab_unet_scenes"),  # refused by `check`
    ],
)
def test_a_run_is_named_after_what_is_trained_or_evaluated(
    fit: bool, ckpt_path: str | None, init_from: str | None, expected: str
) -> None:
    assert run_name(fit, ckpt_path, init_from, "lab_unet", "scenes") == expected


@pytest.mark.parametrize(
    ("precision", "accelerator", "bf16", "expected"),
    [
        ("auto", "auto", True, "bf16-mixed"),
        ("auto", "gpu", True, "bf16-mixed"),
        ("auto", "cuda", False, "32-true"),
        ("auto", "cpu", True, "bf16-mixed"),
        ("auto", "cpu", False, "32-true"),
        ("16-mixed", "gpu", True, "16-mixed"),
        (32, "gpu", True, 32),
    ],
)
def test_automatic_precision(
    precision: str | int, accelerator: str, bf16: bool, expected: str | int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: bf16)
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"amx_bf16": bf16}, raising=False)
    assert resolve_precision(precision, accelerator) == expected


@pytest.mark.parametrize(("capability", "expected"), [("avx512_bf16", "bf16-mixed"), ("avx512_f", "32-true")])
def test_automatic_precision_without_a_gpu(capability: str, expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {capability: True}, raising=False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert resolve_precision("auto", "auto") == expected


@pytest.mark.parametrize("rank", [0, 1])
def test_rank_zero_alone_writes_it(rank: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("colorize.training.config.rank_zero_only.rank", rank)
    folder = tmp_path / "new/run"
    save_config(OmegaConf.create({"run_dir": str(folder), "seed": 3, "same": "${seed}"}))
    assert (folder / "config.yaml").is_file() == (rank == 0)
    if rank == 0:
        assert (folder / "config.yaml").read_text() == f"run_dir: {folder}\nseed: 3\nsame: 3\n"


def test_a_folder_that_cannot_be_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ColorizeError, match=r"^run_dir=.*file/run cannot be written: Not a directory\. Give another: "):
        save_config(OmegaConf.create({"run_dir": str(tmp_path / "file/run")}))


@pytest.mark.slow
def test_a_rank_is_known_before_there_is_a_trainer(tmp_path: Path) -> None:
    """Lightning starts a further rank of a node with LOCAL_RANK."""
    subprocess.run([sys.executable, "-c", SAVE, tmp_path], env={"LOCAL_RANK": "1"}, check=True)
    assert list(tmp_path.iterdir()) == []
