"""What colorize.cli makes of a mistake, without a process of its own."""

from typing import Any

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.hydra_config import HydraConfig
from hydra.errors import ConfigCompositionException, MissingConfigException
from omegaconf import DictConfig

from colorize.cli import launch, sentences
from colorize.cli.config import CONFIG_DIR
from colorize.errors import ColorizeError


def mistake(config: str, word: str) -> ConfigCompositionException:
    with (
        pytest.raises(ConfigCompositionException) as caught,
        initialize_config_dir(str(CONFIG_DIR), version_base="1.3"),
    ):
        compose(config, [word])
    return caught.value


@pytest.mark.parametrize(
    ("config", "word", "words"),
    [
        ("predict", "seed=1", "seed is no key of the configuration: its keys are input, output, checkpoint"),
        ("predict", "trainer.device=2", "trainer.device is no key of the configuration: did you mean trainer.devices?"),
        ("predict", "model=lab_unet", "model is no key of the configuration: its keys are"),
        ("predict", "max_epochs=2", "max_epochs is no key of the configuration: its keys are"),
        ("train", "sed=1", "sed is no key of the configuration: did you mean seed?"),
        ("train", "input=1", "input is no key of the configuration: the groups are callbacks, data, experiment"),
        ("train", "experimnt=x", "experimnt is no key of the configuration: did you mean experiment?"),
    ],
)
def test_an_unknown_key_is_compared_with_those_of_its_own_configuration(config: str, word: str, words: str) -> None:
    sentence = sentences.sentence(mistake(config, word), config)
    assert sentence.startswith(words)
    assert ("A new key is added" in sentence) == (config == "train")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["model.scheduler={name:plateau,patience:0}"], "model.scheduler.patience is no key of the configuration: did"),
        (["model=rgb_convnet", "model.network.width=8"], "model.network.width is no key of the configuration: did you"),
        (
            ["model=a,b", "data=photographs", "data.val_size=8"],
            "data.val_size is no key of the configuration: not",
        ),
    ],
)
def test_a_key_of_another_choice_is_not_proposed(
    words: list[str], expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launch.sys, "argv", ["train.py", *words])
    with (
        pytest.raises(ConfigCompositionException) as caught,
        initialize_config_dir(str(CONFIG_DIR), version_base="1.3"),
    ):
        compose("train", [word for word in words if word != "model=a,b"])
    sentence = sentences.sentence(caught.value, "train")
    assert sentence.startswith(expected)
    assert f"did you mean {words[-1].partition('=')[0]}?" not in sentence


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        (
            "launcher=submitit",
            "hydra/launcher=submitit_slurm needs a plugin of Hydra: pip install 'colorize[submitit]'.",
        ),
        ("sweep=optuna", "hydra/sweeper=optuna needs a plugin of Hydra: pip install 'colorize[optuna]'."),
        ("sweep=autoencoders", "Ambiguous value for argument 'seed=1,2': several values need -m"),
        ("launcher=joblib,submitit", "Ambiguous value for argument 'seed=1,2': several values need -m"),
        ("model=lab_unet", "Ambiguous value for argument 'seed=1,2': several values need -m"),
        ("launcher=null", "Ambiguous value for argument 'seed=1,2': several values need -m"),
    ],
)
def test_a_plugin_that_is_missing_is_named_before_several_values(
    word: str, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the plugin the choice of it says nothing of a multirun."""
    monkeypatch.setattr(sentences.sys, "argv", ["train.py", word, "seed=1,2"])
    error = ConfigCompositionException("Ambiguous value for argument 'seed=1,2'\n1. To use it as a list, use [1,2]")
    with monkeypatch.context() as without:
        without.setattr(sentences, "compose", compose_without_plugins)
        assert sentences.sentence(error).startswith(expected)


def compose_without_plugins(config: str, words: list[str], **options: Any) -> None:
    """As Hydra's compose where neither submitit nor Optuna is installed."""
    lacking = {"launcher=submitit": "hydra/launcher/submitit_slurm", "sweep=optuna": "hydra/sweeper/optuna"}
    for word in words:
        if word.endswith("=null"):
            raise ValueError("Config group override must be a string or a list. Got NoneType")
        if word in lacking:
            raise MissingConfigException(f"Could not load '{lacking[word]}'", lacking[word])


@pytest.mark.parametrize("word", ["experiment=null", "data=3", "model/loss=true", "data@here=3"])
def test_a_group_without_a_choice_is_named(
    word: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(launch.sys, "argv", ["train.py", "--cfg=job", "seed=null", "data=paired,folder", word])
    error = ValueError("Config group override must be a string or a list. Got NoneType")
    with pytest.raises(SystemExit) as ended:
        launch.launch(fail(error), "train")
    assert ended.value.code == 1
    assert capsys.readouterr().err.startswith(f"error: {word} chooses nothing, but a group")


def fail(error: Exception) -> Any:
    def main() -> None:
        raise error

    return main


DEBUG = ["debug=true", "debug=True", "debug=1", "debug=yes", "debug=on", "+debug=true", "++debug=true", "debug='true'"]


@pytest.mark.parametrize(
    ("words", "expected"),
    [([word], True) for word in DEBUG]
    + [
        ([word], False)
        for word in ("debug=false", "debug=0", "debug=no", "debug=maybe", "~debug", "tta=true", "debug=")
    ]
    + [(["-m", "a={", "debug=true"], True), (["debug=true", "debug=false"], False)],
)
def test_debug_is_read_as_hydra_reads_it_also_when_nothing_was_composed(
    words: list[str], expected: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(launch.sys, "argv", ["predict.py", *words])
    with pytest.raises(SystemExit) as ended:
        launch.launch(fail(ColorizeError("bad")), "predict")
    assert ended.value.code == 1
    err = capsys.readouterr().err
    assert err.startswith("Traceback") == expected
    assert err.endswith("ColorizeError: bad\n" if expected else "error: bad\n")


@pytest.mark.parametrize("debug", [True, 1, "yes"])
def test_debug_may_be_any_true_value_of_the_configuration(
    debug: object, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    @launch.explain_mistakes
    def job(cfg: DictConfig) -> None:
        raise ColorizeError("bad")

    monkeypatch.setattr(HydraConfig, "get", lambda: DictConfig({"mode": None}))
    with pytest.raises(SystemExit):
        job(DictConfig({"debug": debug}))
    assert capsys.readouterr().err.startswith("Traceback")


def test_a_name_of_several_lines_does_not_end_the_sentence() -> None:
    assert sentences.sentence(ColorizeError("a\nb.jpg: is broken; take it out.")) == "a b.jpg: is broken; take it out."


def test_ctrl_c_ends_a_command_without_a_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    def main() -> None:
        raise KeyboardInterrupt

    with pytest.raises(SystemExit) as ended:
        launch.launch(main, "train")
    assert (ended.value.code, capsys.readouterr().err) == (130, "stopped.\n")


def test_a_fault_of_ours_keeps_its_traceback() -> None:
    with pytest.raises(ArithmeticError):
        launch.launch(fail(ArithmeticError()), "train")


def test_settings_that_lightning_refuses_are_mistakes() -> None:
    from lightning_fabric.utilities.exceptions import MisconfigurationException

    assert sentences.is_mistake(MisconfigurationException("no GPU"))
    assert not sentences.is_mistake(RuntimeError("no GPU"))
