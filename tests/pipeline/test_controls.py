"""What is asked for is in force, or refused for a reason; never something between, whatever comes."""

import json
from typing import Any, Dict, List, Tuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nasion.errors import InputError
from nasion.messages import SETTABLE, StateMessage
from nasion.pipeline.controls import MAX_BYTES, Controls
from nasion.settings import RunSettings
from nasion.sources.clock import SystemClock

#: A value of each key that is not the default, and fits.
GOOD: Dict[str, Any] = {
    "threshold": 0.5,
    "max_persons": 3,
    "near_m": 0.9,
    "far_m": 6.0,
    "jump_mode": "off",
    "jump_max_speed_m_s": 1.5,
    "jump_sigmas": 0.0,
    "jump_fixed_m": 0.5,
    "jump_expires_s": 2.0,
    "image": True,
    "image_hz": 5.0,
}
MODELS_OWN = 0.6


def made(events: List[str], **settings: Any) -> Controls:
    told = RunSettings.model_validate({"cameras": [{"source": "demo:"}], **settings})
    return Controls("cam0", told, threshold=MODELS_OWN, session="s1", clock=SystemClock(), on_event=events.append)


@pytest.fixture
def events() -> List[str]:
    return []


@pytest.fixture
def controls(events: List[str]) -> Controls:
    return made(events)


def ask(controls: Controls, key: str, value: Any, **more: Any) -> StateMessage:
    return controls.ask(key, json.dumps({"value": value, **more}).encode(), retained=False)


def test_every_key_has_a_value_here() -> None:
    assert list(GOOD) == list(SETTABLE)


@pytest.mark.parametrize(("key", "value"), GOOD.items())
def test_a_good_value_is_in_force_at_once_and_answered(
    controls: Controls, events: List[str], key: str, value: Any
) -> None:
    before = controls.value(key)
    assert before != value
    answer = ask(controls, key, value, id="7")
    assert (answer.key, answer.value, answer.accepted, answer.reason) == (key, value, True, None)
    assert (answer.origin, answer.id, answer.session, answer.camera) == ("set", "7", "s1", "cam0")
    assert controls.value(key) == value
    assert events == [f"cam0: {key} = {value}, set over MQTT; it was {before}"]


def test_what_the_steps_go_by_is_replaced_as_a_whole(controls: Controls) -> None:
    before = controls.in_force
    assert (before.threshold, before.max_persons, before.depth.near_m) == (MODELS_OWN, 1, 0.7)
    for key, value in GOOD.items():
        ask(controls, key, value)
    now = controls.in_force
    assert (now.threshold, now.max_persons, now.depth.near_m, now.depth.far_m) == (0.5, 3, 0.9, 6.0)
    assert (now.jump.mode, now.jump.max_speed_m_s, now.jump.expires_s) == ("off", 1.5, 2.0)
    assert (now.image.enabled, now.image.hz) == (True, 5.0)
    assert (before.threshold, before.max_persons, before.depth.near_m, before.image.enabled) == (0.6, 1, 0.7, False)


def test_at_the_start_all_is_as_configured(events: List[str]) -> None:
    states = {state.key: state for state in made(events, threshold=0.8, max_persons=2).states()}
    assert list(states) == list(SETTABLE)
    assert (states["threshold"].value, states["max_persons"].value, states["image"].value) == (0.8, 2, False)
    assert {state.origin for state in states.values()} == {"configuration"}
    assert all(state.accepted for state in states.values())


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("threshold", 1.5, "value: Input should be less than or equal to 1"),
        ("threshold", None, "value: Input should be a valid number"),
        ("max_persons", 0, "value: Input should be greater than or equal to 1"),
        ("near_m", 12.0, "near_m (12.0) must be less than far_m (10.0)"),
        ("near_m", 0.5, "the source was opened with depth.near_m 0.7; expected no less"),
        ("far_m", 10.5, "the source was opened with depth.far_m 10; expected no more"),
        ("jump_mode", "never", "value: Input should be 'speed', 'fixed' or 'off'"),
        ("image_hz", 31, "value: Input should be less than or equal to 30"),
        ("mqtt", 1, "unknown key 'mqtt'; expected one of threshold, max_persons"),
        ("x" * 500, 1, f"unknown key {'x' * 40!r}"),
    ],
)
def test_a_bad_one_changes_nothing_and_gets_the_reason(
    controls: Controls, events: List[str], key: str, value: Any, said: str
) -> None:
    before = controls.in_force
    answer = ask(controls, key, value)
    assert not answer.accepted
    assert said in str(answer.reason)
    assert answer.value == controls.value(key)
    assert controls.in_force is before
    ask(controls, key, value)
    assert len(events) == 1, "told once, however often it comes"


def test_what_was_retained_is_ignored_and_reported(controls: Controls, events: List[str]) -> None:
    answer = controls.ask("threshold", b'{"value": 0.1}', retained=True)
    assert (answer.accepted, answer.value) == (False, MODELS_OWN)
    assert "without the retain flag" in str(answer.reason)
    assert events == [f"cam0: set/threshold is not obeyed: {answer.reason}"]


def test_what_is_far_too_long_is_not_read(controls: Controls) -> None:
    payload = b'{"value": 0.5, "id": "' + b"x" * MAX_BYTES + b'"}'
    assert "expected at most 1024" in str(controls.ask("threshold", payload, retained=False).reason)


@pytest.mark.parametrize(
    ("allow", "obeyed", "said"),
    [(None, set(GOOD), ""), ([], set(), "one of: none"), (["image", "threshold"], {"image", "threshold"}, "image, th")],
)
def test_only_what_is_allowed_can_be_set(events: List[str], allow: Any, obeyed: Any, said: str) -> None:
    controls = made(events, remote={"allow": allow})
    answers = {key: ask(controls, key, value) for key, value in GOOD.items()}
    assert {key for key, answer in answers.items() if answer.accepted} == obeyed
    for key in set(GOOD) - obeyed:
        assert said in str(answers[key].reason)
        assert answers[key].value is not None, "what is in force may be known"


def test_where_two_thresholds_hold_a_single_one_is_refused(events: List[str]) -> None:
    controls = made(events, hysteresis={"enabled": True, "appear": 0.9, "stay": 0.4})
    answer = ask(controls, "threshold", 0.5)
    assert (answer.accepted, answer.value, answer.origin) == (False, None, None)
    assert "hysteresis" in str(answer.reason)
    (said,) = [state for state in controls.states() if state.key == "threshold"]
    assert (said.accepted, said.value) == (False, None)
    assert ask(controls, "max_persons", 2).accepted
    assert controls.in_force.threshold == 0.4


class TestWhatWasKept:
    def test_it_overrides_the_configuration_and_says_so(self, events: List[str]) -> None:
        controls = made(events, threshold=0.8)
        controls.take_up({"threshold": 0.5, "near_m": 0.9}, "kept.json")
        assert (controls.in_force.threshold, controls.in_force.depth.near_m) == (0.5, 0.9)
        origins = {state.key: state.origin for state in controls.states()}
        assert (origins["threshold"], origins["near_m"], origins["far_m"]) == ("kept", "kept", "configuration")
        assert events == ["cam0: threshold = 0.5, kept in kept.json", "cam0: near_m = 0.9, kept in kept.json"]
        # The source has the limits of the configuration: the way back to them is open.
        assert ask(controls, "near_m", 0.7).accepted

    def test_what_is_not_allowed_any_more_is_left_out_and_said(self, events: List[str]) -> None:
        controls = made(events, remote={"allow": ["image"]})
        controls.take_up({"threshold": 0.5, "image": True}, "kept.json")
        assert (controls.in_force.threshold, controls.in_force.image.enabled) == (MODELS_OWN, True)
        assert "remote.allow does not let it be set: left out" in events[0]

    def test_what_does_not_fit_the_configuration_any_more_is_bad_input(self, events: List[str]) -> None:
        with pytest.raises(InputError, match=r"remote\.persist kept\.json: cam0: .*must be less than.*; delete it"):
            made(events, depth={"far_m": 3.0}).take_up({"near_m": 4.0}, "kept.json")


SOMETHING = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=10), st.lists(st.integers(), max_size=2)
)
REQUESTS = st.tuples(
    st.sampled_from(sorted(SETTABLE)) | st.text(max_size=8),
    st.binary(max_size=60)
    | SOMETHING.map(lambda value: json.dumps({"value": value}).encode())
    | st.floats(0.01, 20).map(lambda value: json.dumps({"value": value}).encode()),
    st.booleans(),
)


@given(st.lists(REQUESTS, max_size=8))
def test_whatever_comes_there_is_an_answer_and_the_settings_stay_settings(
    requests: List[Tuple[str, bytes, bool]],
) -> None:
    controls = made([])
    for key, payload, retained in requests:
        before = controls.in_force
        answer = controls.ask(key, payload, retained=retained)
        assert answer.accepted == (answer.reason is None)
        assert answer.accepted or controls.in_force is before
        assert StateMessage.model_validate_json(answer.to_json(), strict=True) == answer
        RunSettings.model_validate(controls.settings.model_dump())
