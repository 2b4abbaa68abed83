"""The four channels have one colour each, the same on the pages, in pictures and in the terminal."""

import re
from pathlib import Path

import lichen.agent
from lichen.agent.lab.kernel.pictures import COLOURS
from lichen.agent.palette import SPEAKER, TONES
from lichen.memory.credit.channel_weights import CHANNELS

LOOK = Path(lichen.agent.__file__).parent / "doors/inspector/look/static/look.css"


def test_the_pages_have_the_same_colours_on_both_grounds() -> None:
    css = LOOK.read_text(encoding="utf-8")
    for channel, tone in TONES.items():
        found = re.findall(rf"--{channel}: (#[0-9a-f]{{6}})", css)
        assert found[0] == tone.light and set(found[1:]) == {tone.dark}


def test_every_term_of_the_policy_has_a_speaker_and_pictures_take_their_colours() -> None:
    assert set(SPEAKER) == set(CHANNELS) and set(SPEAKER.values()) == set(TONES)
    assert COLOURS["memory"] == TONES["memory"].light and COLOURS["none"] == TONES["model"].light
