"""The five fictional teams of the demo round: how each writes, and how fast.

Style guide for `answers/*.toml` (one answer per suggestion and team). No answer names a team, a person, a
company or a model, or says what it is. Facts are right everywhere; only depth and usefulness differ.
Words are English words; Korean says the same in about two thirds as many space-separated words.

gaon (good, 60-110 words): terse. One line that answers, then 4-7 short bullets, key words bold. No greeting,
    no heading, no closing remark.
nuri (good, 140-220 words): warm prose. One sentence of empathy, then 3-4 flowing paragraphs in a friendly
    voice; no list, no heading; reasons are told, and the last line encourages.
dasom (best, 220-350 words): thorough. A direct answer first, two or three `###` headings, a small table or
    numbered steps, one concrete example with figures, one pitfall; complete and well judged.
maru (weakest, 70-130 words): vague. Opens with a remark on the subject's importance, stays general, drifts to
    a neighbouring subject, leaves the asked-for part half done. Harmless, never rude.
byeol (good, 120-180 words): plain. A short paragraph, a numbered list of steps, a closing sentence; little
    formatting, solid, nothing remarkable.

Where the question wants a product (a message, code, a formula) every team but maru gives it ready to use.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from types import MappingProxyType

# A run of Hangul is cut after 1-3 syllables and a word after 1-5 characters, as tokenizers tend to do.
_PIECES = re.compile(r"\s*(?:[\uac00-\ud7a3]{1,3}|[^\W\uac00-\ud7a3]{1,5}|[^\w\s]{1,3})|\s+")


@dataclass(frozen=True, slots=True)
class Persona:
    """A demo team: its name by locale, the aliases that would give it away, and how fast it answers."""

    code: str
    name: Mapping[str, str]
    model: str
    aliases: tuple[str, ...]
    first_token_s: float
    tokens_per_s: float

    def pause(self, text: str, index: int) -> float:
        """Seconds before token `index` of answer `text`: the mean pace, varied by 40 % but not by chance."""
        mean = 1 / self.tokens_per_s if index else self.first_token_s
        noise = sha256(f"{self.code}\0{index}\0{text}".encode()).digest()[0] / 255
        return mean * (0.6 + 0.8 * noise)


def tokens(text: str) -> list[str]:
    """Cuts a text into pieces (1-3 Hangul syllables, part of a word); joined they are the text again."""
    return _PIECES.findall(text)


def _persona(code: str, korean: str, first_token_s: float, tokens_per_s: float) -> Persona:
    name = MappingProxyType({"ko": f"{korean} 팀", "en": f"Team {code.title()}"})
    aliases = (name["ko"], name["en"], code.title())
    return Persona(code, name, f"{code}-demo", aliases, first_token_s, tokens_per_s)


PERSONAS: Mapping[str, Persona] = MappingProxyType(
    {
        persona.code: persona
        for persona in (
            _persona("gaon", "가온", 0.15, 60),
            _persona("nuri", "누리", 0.5, 36),
            _persona("dasom", "다솜", 0.8, 48),
            _persona("maru", "마루", 1.2, 18),
            _persona("byeol", "별", 0.35, 28),
        )
    }
)
