"""One promise each, measured: what is told, and what of it was not kept."""

from __future__ import annotations

import random
import time
from pathlib import Path
from typing import Any, Callable

from tests.faults.soak.account import Account
from tests.faults.soak.growth import spread, what_grew
from tests.faults.soak.scene import Scene
from tests.faults.soak.soak import stages
from tests.faults.soak.stage import wait_for
from tests.faults.soak.vitals import vitals
from tests.faults.soak.witness import Seen

Say = Callable[[str], None]
Open = Callable[..., Scene]

#: Promises, seconds.
FRESH_S = 2.0
REPORTED_S = 1.0
RECOVERED_S = 3.0
#: Of a thaw, at most so many messages may be delivered late.
DELIVERED_LATE = 1
#: Before a fault, messages flow for this long.
FLOW_S = 3.0


def freeze(open_scene: Open, say: Say, times: int, *, seconds: float = 3.0) -> dict[str, Any]:
    """The broker is frozen: nothing stale is accepted, and one late message at most is delivered; beside it, QoS 0."""
    figures: dict[str, Any] = {"seconds": seconds, "broken": []}
    for qos in (1, 0):
        with open_scene(mqtt={"qos": qos}) as scene:
            turns = []
            for turn in range(times):
                turns.append(_one_freeze(scene, seconds))
                say(f"qos {qos}, freeze {turn + 1} of {times}: {turns[-1]['delivered_late']} delivered late")
            code, account, camera = scene.end()
            receivers = _receivers(scene)
        late = [turn["delivered_late"] for turn in turns]
        figures[f"qos{qos}"] = {
            "turns": turns,
            "most_delivered_late": max(late),
            "published": camera.get("published"),
            "account": account and account.__dict__,
            "receivers": receivers,
        }
        # What QoS 0 writes to a connection that is then lost is counted by nobody.
        broken = _broken(code, account, receivers) if qos else _accepted_stale(receivers)
        figures["broken"] += [f"qos {qos}: {what}" for what in broken]
        if qos == 1 and max(late) > DELIVERED_LATE:
            figures["broken"].append(f"{max(late)} messages of before the thaw were delivered late")
    return figures


def _one_freeze(scene: Scene, seconds: float) -> dict[str, Any]:
    begin_ns = time.monotonic_ns()
    time.sleep(FLOW_S)
    rate = len([one for one in list(scene.witness.persons) if one.at_ns >= begin_ns]) / FLOW_S
    frozen_ns = time.monotonic_ns()
    scene.broker.freeze()
    time.sleep(seconds)
    thawed_ns = scene.broker.thaw()
    fresh_s = scene.wait_fresh(thawed_ns)
    accepted_s = scene.wait_accepted(thawed_ns)
    time.sleep(1.0)
    late = [one for one in list(scene.witness.persons) if _captured_in(one, frozen_ns, thawed_ns) and not one.fresh]
    return {
        "messages_per_s": rate,
        "delivered_late": len(late),
        "oldest_ms": max((one.age_ms for one in late), default=None),
        "fresh_s": fresh_s,
        "accepted_s": accepted_s,
    }


def _captured_in(seen: Seen, begin_ns: int, thawed_ns: int) -> bool:
    """Sent, or in flight, while the broker stood still: it came with the thaw, and is older than that."""
    return seen.captured_ns + seen.max_age_ms * 1e6 >= begin_ns and seen.captured_ns < thawed_ns <= seen.at_ns


def restarts(open_scene: Open, say: Say, times: int) -> dict[str, Any]:
    """The broker is killed and started again, under load: the stream is back soon, and nothing grows."""
    luck = random.Random(0)
    turns: list[dict[str, Any]] = []
    with open_scene() as scene:
        time.sleep(FLOW_S)
        before = vitals(scene.program.pid)
        for turn in range(times):
            scene.broker.kill()
            down_s = luck.uniform(0.1, 3.0)
            time.sleep(down_s)
            returned_ns = scene.broker.start()
            fresh_s, accepted_s = scene.wait_fresh(returned_ns), scene.wait_accepted(returned_ns)
            now = vitals(scene.program.pid)
            memory_mb = now.memory_mb if now else 0.0
            turns.append({"down_s": down_s, "fresh_s": fresh_s, "accepted_s": accepted_s, "memory_mb": memory_mb})
            say(f"restart {turn + 1} of {times}: fresh after {fresh_s:.2f} s")
            time.sleep(luck.uniform(0.2, 1.2))
        time.sleep(1.0)
        after = vitals(scene.program.pid)
        code, account, camera = scene.end()
        receivers = _receivers(scene)
    fresh = [turn["fresh_s"] for turn in turns]
    broken = _broken(code, account, receivers)
    if max(fresh) > FRESH_S:
        broken.append(f"a fresh message came only {max(fresh):.2f} s after the broker's return")
    if before and after and (after.descriptors > before.descriptors or after.threads > before.threads):
        broken.append(f"it holds more than before: {before} became {after}")
    broken += what_grew([(turn, told["memory_mb"]) for turn, told in enumerate(turns)], [], [], [])
    return {
        "times": times,
        "fresh_s": spread(fresh),
        "accepted_s": {name: spread([turn["accepted_s"][name] for turn in turns if turn["accepted_s"][name]])
                       for name in receivers},
        "turns": turns,
        "vitals": {"before": before and before._asdict(), "after": after and after._asdict()},
        "account": account and account.__dict__,
        "published": camera.get("published"),
        "receivers": receivers,
        "broken": broken,
    }  # fmt: skip


def source(open_scene: Open, say: Say, times: int) -> dict[str, Any]:
    """The camera is lost and comes back: it is said at once, and fresh messages flow soon after its return."""
    turns: dict[str, list[dict[str, float]]] = {"silent": [], "away": []}
    with open_scene(receivers=False) as scene:
        time.sleep(FLOW_S)
        for turn in range(times):
            for kind, told in turns.items():
                told.append(_one_loss(scene, kind))
                say(f"{turn + 1} of {times}, {kind}: " + ", ".join(f"{k} {v:.2f}" for k, v in told[-1].items()))
        code, account, camera = scene.end()
    broken = _broken(code, account, {})
    for kind, told in turns.items():
        for what, promised in (("reported_s", REPORTED_S), ("recovered_s", RECOVERED_S)):
            longest = max(turn[what] for turn in told)
            if longest > promised:
                broken.append(f"{kind}: {what} {longest:.2f}, promised {promised:g}")
    return {
        "reported_s": {kind: spread([turn["reported_s"] for turn in told]) for kind, told in turns.items()},
        "recovered_s": {kind: spread([turn["recovered_s"] for turn in told]) for kind, told in turns.items()},
        "drops": camera.get("drops"),
        "account": account and account.__dict__,
        "broken": broken,
    }


def _one_loss(scene: Scene, kind: str) -> dict[str, float]:
    """``reported_s``: from the loss to the status that says so; ``recovered_s``: from the return to a fresh message."""
    lost_ns = scene.program.tell(kind)
    reported_ns = _wait_for_source(scene, lost_ns, ok=False)
    time.sleep(2.5)
    back_ns = scene.program.tell("back")
    recovered_s = scene.wait_fresh(back_ns)
    _wait_for_source(scene, back_ns, ok=True)
    time.sleep(1.0)
    return {"reported_s": (reported_ns - lost_ns) / 1e9, "recovered_s": recovered_s}


def _wait_for_source(scene: Scene, since_ns: int, *, ok: bool) -> int:
    """When a status since then first said that the source is, or is not, `ok`."""

    def first() -> int | None:
        later = [said for said in list(scene.witness.statuses) if said.at_ns >= since_ns]
        return next((said.at_ns for said in later if (said.source == "ok") == ok), None)

    wait_for(first, "the status to say how the source fares")
    found = first()
    assert found is not None
    return found


def latency(open_scene: Open, say: Say, times: int) -> dict[str, Any]:
    """From the capture to the receiver on this machine, by stage. ``times``: ten seconds each."""
    with open_scene() as scene:
        time.sleep(FLOW_S)
        begin_ns = time.monotonic_ns()
        for turn in range(times):
            say(f"{10 * turn} of {10 * times} s")
            time.sleep(10)
        seconds = (time.monotonic_ns() - begin_ns) / 1e9
        persons = [one for one in list(scene.witness.persons) if one.captured_ns >= begin_ns]
        code, account, camera = scene.end()
        receivers = _receivers(scene)
    return {
        "messages_per_s": len(persons) / seconds,
        "stages_ms": stages(persons),
        "stale_on_arrival": sum(not one.fresh for one in persons),
        "published": camera.get("published"),
        "drops": camera.get("drops"),
        "account": account and account.__dict__,
        "receivers": receivers,
        "broken": _broken(code, account, receivers),
    }


def _broken(code: int, account: Account | None, receivers: dict[str, Any]) -> list[str]:
    """What must hold in every scenario."""
    said = [f"the program ended with {code}"] if code else []
    if account is None or account.unexplained or not account.balanced:
        said.append("messages are missing that no counter explains")
    return [*said, *_accepted_stale(receivers)]


def _accepted_stale(receivers: dict[str, Any]) -> list[str]:
    stale = {name: told["stale_accepted"] for name, told in receivers.items() if told["stale_accepted"]}
    return [f"stale messages were accepted: {stale}"] if stale else []


def _receivers(scene: Scene) -> dict[str, Any]:
    max_age_ms = scene.witness.persons[-1].max_age_ms
    return {name: listener.figures(max_age_ms) for name, listener in scene.listeners.items()}


def freeze30(open_scene: Open, say: Say, times: int) -> dict[str, Any]:
    """The same for 30 s, in which all connections are given up."""
    return freeze(open_scene, say, times, seconds=30.0)


#: With how often each is done where nobody says.
SCENARIOS: dict[str, Any] = {"freeze": freeze, "freeze30": freeze30, "restarts": restarts, "source": source,
                             "latency": latency}  # fmt: skip
TIMES = {"freeze": 5, "freeze30": 1, "restarts": 20, "source": 5, "latency": 3}


def open_in(folder: Path, source: str, settings: dict[str, Any], say: Say) -> Open:
    """What opens the scenes of a scenario; each has its logs in a folder of its own."""
    count = 0

    def open_scene(*, receivers: bool = True, mqtt: dict[str, Any] | None = None) -> Scene:
        nonlocal count
        count += 1
        return Scene(folder / f"{count}", source=source, settings=settings, say=say, receivers=receivers, mqtt=mqtt)

    return open_scene
