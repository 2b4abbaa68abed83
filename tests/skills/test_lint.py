"""Static checks say what is wrong and where."""

import pytest

from lichen.skills.admission import Admission
from lichen.skills.library import Library
from lichen.skills.operations import Workshop

from .conftest import TAKE, TESTS, take_skill


@pytest.mark.parametrize("code", ["def take(:\n", "x = " + "-" * 5000 + "1\n"])
def test_code_that_cannot_be_read_is_refused_in_a_sentence(
    library: Library, admission: Admission, code: str
) -> None:
    verdict = admission.admit(take_skill(code), author="agent")
    assert verdict.outcome == "failure" and len(verdict.reasons) == 1
    Workshop(library, lambda: admission).reject("take", "no code")
    assert library.all("drafts") == {}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"tests": TESTS[:2]}, "it needs its origin and 2 other bindings"),
        ({"tests": TESTS[1:]}, "no test on the task it comes from"),
        (
            {"code": "def other(api: API) -> bool:\n    return True\n"},
            "exactly one public function",
        ),
        ({"code": TAKE + "\nimport os\n"}, "may not import os"),
        (
            {"code": TAKE.replace("api.act", "api.fly")},
            "api.fly, which its capabilities do not name",
        ),
        ({"code": TAKE.replace(": str,", ",", 1)}, "the parameter thing has no type"),
        ({"code": TAKE + "\nx = api.__class__\n"}, "may not use __class__"),
    ],
)
def test_static_checks_say_what_is_wrong_and_where(
    admission: Admission, change: dict[str, object], said: str
) -> None:
    verdict = admission.admit(take_skill().model_copy(update=change), author="agent")
    assert verdict.outcome == "failure" and not verdict.tests
    assert said in " ".join(verdict.reasons)
