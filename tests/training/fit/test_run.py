"""Where a run computes, and in which numbers."""

import pytest
import torch

from training.fit.run import Machine


@pytest.mark.parametrize(
    ("able", "precision"),
    [
        ({"avx512_bf16": True, "amx_bf16": False}, "bf16-mixed"),
        ({"avx512_bf16": False, "amx_bf16": True}, "bf16-mixed"),
        ({"neon": True, "bf16": True}, "bf16-mixed"),
        ({"avx2": True, "avx512_bf16": False, "amx_bf16": False}, "32-true"),
        ({"neon": True, "bf16": False}, "32-true"),
    ],
)
def test_a_cpu_computes_in_bf16_where_it_can(
    able: dict[str, bool], precision: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What CPUs say of themselves stands in for the CPUs."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: able)
    assert Machine().trainer_options()["precision"] == precision


@pytest.mark.parametrize(("able", "precision"), [(True, "bf16-mixed"), (False, "16-mixed")])
def test_an_older_gpu_computes_in_fp16(able: bool, precision: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What torch says of GPUs stands in for the GPUs."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: able)
    assert Machine().trainer_options()["precision"] == precision


def test_what_is_asked_for_is_not_overruled() -> None:
    assert Machine(precision="16-mixed").trainer_options()["precision"] == "16-mixed"
