"""The shapes of personal data in a plainly spelled text (`personal.py`), and what tells them from innocent numbers.

Every repetition is bounded, so that searching stays linear whatever the text is.
"""

import re
from calendar import monthrange
from collections.abc import Callable
from typing import Final, Literal, NamedTuple

from arena.screening.beside import in_a_word, labelled, labelled_before, of_a_firm, of_a_thing

Kind = Literal["resident_number", "card", "phone", "email", "passport", "licence", "account"]
Holds = Callable[["re.Match[str]"], bool]

MASKED: Final = "\uffff"
"""Stands where something was masked already; it is no character, and is taken out of every text first."""


class Shape(NamedTuple):
    """What `it` in the pattern is, where `holds` says so."""

    kind: Kind
    pattern: "re.Pattern[str]"
    holds: Holds


_GAP: Final = r"(?:[ ]{0,2}(?:[-./)_~|][ ]{0,2}){1,3}|[ ]{1,2})"
_WIDE: Final = r"(?:[ ]{0,2}(?:[-./()_~|,:][ ]{0,2}){1,3}|[ ]?(?:에|의|다시|하이픈|대시)[ ]?|[ ]{1,4})"
"""Between the parts of a number whose beginning says what it is."""


def _digits(text: str) -> str:
    return "".join(letter for letter in text if "0" <= letter <= "9")


def _is_resident_number(match: "re.Match[str]") -> bool:
    digits, century = _digits(match["it"]).removeprefix(match["century"] or ""), match["century"]
    if not _is_date(digits):
        return False
    fits = len(digits) == 13 and _fits_resident(digits)
    if of_a_thing(match):
        told = labelled_before(match, "resident_number") or bool(match["firm"] and fits)
        return told and not of_a_firm(match)
    if labelled(match, "resident_number") or (match["firm"] and not (century or "년" in match["it"])):
        return True
    if century or match["loose"] or "년" in match["it"]:
        return fits and digits[6] in _OF_CENTURY[century]
    return (fits or _is_young(digits)) and not (_is_barcode(digits) or in_a_word(match))


_OF_CENTURY: Final = {"19": "1256", "20": "3478", None: "1234567890"}
"""The seventh digit of whoever was born then."""


def _is_spelled_resident_number(match: "re.Match[str]") -> bool:
    return _is_date(_digits(match["it"].translate(_NUMERALS)))


_HANGUL_DIGITS: Final = "공영일이삼사오육륙칠팔구"
_NUMERALS: Final = str.maketrans(_HANGUL_DIGITS, "001234566789")


def _is_date(digits: str) -> bool:
    """Whether a resident number's first six digits are a day; its seventh tells the century."""
    century = 1800 + 100 * ("90", "1256", "3478").index(next(c for c in ("90", "1256", "3478") if digits[6] in c))
    year, month, day = century + int(digits[:2]), int(digits[2:4]), int(digits[4:6])
    return 1 <= month <= 12 and 1 <= day <= monthrange(year, month)[1]


def _fits_resident(digits: str) -> bool:
    weights = (2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5)
    total = sum(weight * int(digit) for weight, digit in zip(weights, digits, strict=False))
    foreign = 2 if digits[6] in "5678" else 0
    return (11 - total % 11 + foreign) % 10 == int(digits[12])


def _is_young(digits: str) -> bool:
    """Numbers given since October 2020 have no check digit, and those are children's."""
    return len(digits) == 13 and digits[6] in "3478" and "2010" <= digits[:4] < "3001"


def _is_barcode(digits: str) -> bool:
    """Whether 13 digits are a Korean article number (EAN-13 with the prefix 880)."""
    values = [int(digit) for digit in digits]
    return digits.startswith("880") and (sum(values[::2]) + 3 * sum(values[1::2])) % 10 == 0


def _is_card(match: "re.Match[str]") -> bool:
    digits, grouped = _digits(match["it"]), not match["it"].isdigit()
    if in_a_word(match, often_decimal=True) or len(set(digits)) == 1:
        return False
    if _ISSUERS.fullmatch(digits) and _luhn(digits) and "000000" not in digits:
        return grouped or not of_a_thing(match)
    return len(digits) == 16 and grouped and labelled(match, "card") and not of_a_thing(match)


def _is_labelled_card(match: "re.Match[str]") -> bool:
    return labelled(match, "card") and _is_card(match)


_ISSUERS: Final = re.compile(
    r"4\d{15}|5[1-5]\d{14}|2[2-7]\d{14}|3[47]\d{13}|3(?:0[0-5]|[689]\d)\d{11}|35\d{14}|6\d{15,18}|9\d{15}"
)


def _luhn(digits: str) -> bool:
    doubled = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)
    values = [int(digit) for digit in reversed(digits)]
    return (sum(values[::2]) + sum(doubled[value] for value in values[1::2])) % 10 == 0


def _is_mobile(match: "re.Match[str]") -> bool:
    return not in_a_word(match)


def _lost_its_zero(match: "re.Match[str]") -> bool:
    """As spreadsheets have mobile numbers."""
    return labelled_before(match, "mobile") and not _is_money(match)


def _is_spelled_mobile(match: "re.Match[str]") -> bool:
    return len(set(_digits(match["it"]))) >= 4


def _is_landline(match: "re.Match[str]") -> bool:
    return not of_a_thing(match) and (not match["it"].isdigit() or labelled(match, "phone"))


def _is_foreign(match: "re.Match[str]") -> bool:
    return 10 <= len(_digits(match["it"])) <= 15


def _is_account(match: "re.Match[str]") -> bool:
    return 10 <= len(_digits(match["it"])) <= 16 and not of_a_thing(match) and not _is_money(match)


def _is_money(match: "re.Match[str]") -> bool:
    """Whether digits without hyphens have a unit right behind them, or are millions without a rest."""
    it = match["it"]
    return "-" not in it and (it.endswith("000000") or bool(_UNIT.match(match.string, match.end("it"))))


_UNIT: Final = re.compile("[ ]?(?:원(?!래|칙|본|장)|달러|유로|위안|won|krw|usd|dollar)", re.IGNORECASE)


_SERVICES: Final = frozenset({"git", "root", "ubuntu", "ec2-user", "noreply", "no-reply"})
_NOBODYS: Final = re.compile(
    r"(?:^|\.)(?:example(?:\.(?:com|org|net))?|test|invalid|localhost|local"
    r"|png|jpe?g|gif|webp|svg|ico|css|js|ts|json|html?)$",
    re.IGNORECASE,
)
"""Domains kept for examples (RFC 2606), and endings of files."""


def _is_email(match: "re.Match[str]") -> bool:
    return match["local"].lower() not in _SERVICES and not _NOBODYS.search(match["domain"])


def _shape(kind: Kind, pattern: str, holds: Holds = bool) -> Shape:
    return Shape(kind, re.compile(pattern, re.IGNORECASE | re.VERBOSE), holds)


_STAR: Final = "[*∗#●○◯xoㅇ]"
_FOUR: Final = rf"(?:\d{{4}}|[{_HANGUL_DIGITS}]{{4}})"
_THREE_OR_FOUR: Final = rf"(?:{_FOUR}|\d{{3}}|[{_HANGUL_DIGITS}]{{3}})"
_AREA: Final = r"0(?:2|3[1-3]|4[1-4]|5[1-5]|6[1-4])"
_AT: Final = r"(?:[ ]?@[ ]?|[ ]?[(\[{<][ ]?at[ ]?[)\]}>][ ]?|[ ]?[(\[]?(?:골뱅이|앳)[)\]]?[ ]?)"
_DOT: Final = r"(?:[ ]?\.|[ ]?[(\[{<][ ]?dot[ ]?[)\]}>][ ]?|[ ]dot[ ]|[ ]?[점닷][ ]?)"
_LATIN: Final = "A-ZÀ-ÖØ-öø-ɏḀ-ỿ"
_LOCAL: Final = (
    rf"(?P<local>(?<![{_LATIN}0-9._%+-])[{_LATIN}0-9._%+-]{{1,64}}|(?<![{_LATIN}0-9가-힣])[가-힣]{{2,10}})"
)
_LABEL: Final = rf"[{_LATIN}0-9가-힣-]{{1,63}}"
_PROVIDER: Final = (
    "(?:naver|네이버|gmail|지메일|daum|다음|hanmail|한메일|nate|네이트|kakao|카카오|outlook|hotmail|yahoo|icloud)"
)
_REGION: Final = "서울|부산|대구|인천|광주|대전|울산|세종|경기|강원|충북|충남|전북|전남|경북|경남|제주"

SHAPES: Final = (
    _shape(
        "email",
        rf"(?P<it>{_LOCAL}{_AT}(?P<domain>(?:{_LABEL}{_DOT}){{1,6}}(?:[A-Z]{{2,24}}|한국|컴)))",
        _is_email,
    ),
    _shape("email", rf"(?P<it>{_LOCAL}[ ]at[ ](?P<domain>(?:{_LABEL}[ ]dot[ ]){{1,4}}[A-Z]{{2,24}}))", _is_email),
    _shape(
        "email",
        rf"(?P<it>{_LOCAL}{_AT}(?P<domain>{_PROVIDER})(?:[ ]?[,점닷][ ]?(?:com|net|컴|넷))?)(?![A-Z0-9])",
        _is_email,
    ),
    _shape(
        "resident_number",
        rf"""(?<![0-9])(?P<it>(?P<century>19|20)??\d\d(?:[ ./-]|년[ ]?)?\d\d(?:[ ./-]|월[ ]?)?\d\d일?생?
        (?:(?P<firm>[ ]{{0,2}}(?:[-_~/][ ]{{0,2}}){{1,3}}|[ ]{{1,2}}|[ ]?(?:하이픈|다시|대시|작대기|짝대기)[ ]?
        |(?:이?고|이며|에)?[ ,/]{{0,2}}(?:뒤|뒷)[ ]?(?:자리|번호)?[ ]?(?:는|은|가|이)?[ :]{{0,2}})
        |(?P<loose>[ ]{{0,2}}[,:|=+*]{{1,2}}[ ]{{0,2}}|[ ]?(?P<open>[(\[])[ ]?|[ ]?빼기[ ]?)|[ ]?[.][ ]?|)
        \d(?:\d{{6}}|(?:\d{{0,3}}{_STAR}{{3,7}}|\d{{4,5}}{_STAR}{{1,3}})(?![A-Z*]))(?(open)[ ]?[)\]]?))(?![0-9])""",
        _is_resident_number,
    ),
    _shape(
        "resident_number",
        r"""(?<![0-9])(?P<it>(?P<century>)(?P<firm>)\d{6}(?P<loose>[ ]{0,2}[-_~/ ][ ]{0,2})\d(?:[ -]?\d){6})
        (?![ -]?[0-9])""",
        _is_resident_number,
    ),
    _shape(
        "resident_number",
        rf"""(?<![가-힣])(?P<it>[{_HANGUL_DIGITS}]{{6}}
        (?:[ -]{{0,3}}|[ ]?(?:다시|하이픈|대시)[ ]?)[{_HANGUL_DIGITS}]{{7}})""",
        _is_spelled_resident_number,
    ),
    _shape(
        "resident_number",
        r"""(?<![0-9])(?<![0-9][ .-])(?P<it>(?P<century>)(?P<firm>)(?P<loose>)\d(?:[ .-]\d){5}
        (?:[ ]?[.-][ ]?|[ ])\d(?:[ .-]\d){6})(?![ .-]?[0-9])""",
        _is_resident_number,
    ),
    _shape(
        "card",
        rf"""(?<![0-9])(?<![0-9][.,])(?P<it>\d{{4}}(?P<gap>{_GAP})\d{{4}}{_GAP}\d{{4}}{_GAP}\d{{4}}
        (?P=gap)?\d{{1,3}})(?![0-9])""",
        _is_card,
    ),
    _shape(
        "card",
        rf"""(?<![0-9])(?<![0-9][.,])(?P<it>\d{{4}}{_GAP}(?:\d{{4}}{_GAP}\d{{4}}{_GAP}\d{{4}}|\d{{6}}{_GAP}\d{{4,5}})
        |\d{{8}}{_GAP}\d{{8}})(?![0-9])""",
        _is_card,
    ),
    _shape("card", r"(?<![0-9])(?P<it>\d{4}(?:[ -]?\d){10,15})(?![ -]?[0-9])", _is_labelled_card),
    _shape("card", rf"(?<![가-힣])(?P<it>[{_HANGUL_DIGITS}]{{4}}(?:[ -]{{0,3}}[{_HANGUL_DIGITS}]{{4}}){{3}})"),
    _shape("card", r"(?<![0-9])(?P<it>\d{14,19})(?![0-9])", _is_card),
    _shape("card", r"(?<![0-9])(?<![0-9][ .-])(?P<it>\d(?:[ -]\d){13,18})(?![ .-]?[0-9])", _is_card),
    _shape(
        "passport",
        r"""(?:여권|passport)[^0-9\n]{0,16}?
        (?<![A-Z])(?P<it>[A-Z][ -]?(?:\d{4}[ -]?\d{4}|\d{3}[A-Z]\d{4}))(?![0-9A-Z])""",
    ),
    _shape(
        "licence",
        rf"""(?:면허|licen[cs]e)[^0-9\n]{{0,20}}?
        (?P<it>(?:(?:{_REGION})[ .-]?|\d\d[ .-]?)\d\d[ .-]?\d{{6}}[ .-]?\d\d)(?![0-9])""",
    ),
    _shape(
        "phone",
        rf"""(?<![0-9A-Z])(?P<it>(?:(?:[+][ ]?|00(?:1[ -]?)?)82{_GAP}?[(]?0?[)]?(?:1[016789]|70|50\d|2|[3-6][1-5])|
        82{_GAP}?1[016789]){_GAP}?\d{{3,4}}{_GAP}?\d{{4}})(?![0-9])""",
    ),
    _shape(
        "phone",
        rf"""(?<![0-9])(?P<it>[(]?[0o공영][ ]?[1l일][ ]?[0o공영16789][)]?{_WIDE}?
        {_THREE_OR_FOUR}{_WIDE}?{_FOUR})(?![0-9])""",
        _is_mobile,
    ),
    _shape(
        "phone",
        r"(?<![0-9])(?<![0-9][ .,-])(?P<it>0[ .-]1[ .-][016789](?:[ .-]{1,3}\d){7,8})(?![ .-]?[0-9])",
        _is_spelled_mobile,
    ),
    _shape("phone", r"(?<![0-9])(?P<it>01[016789](?:[ .-]{1,2}\d\d){4})(?![ .-]?[0-9])"),
    _shape("phone", rf"(?<![0-9A-Z])(?<![0-9][./,-])(?P<it>10{_GAP}?\d{{4}}{_GAP}?\d{{4}})(?![0-9])", _lost_its_zero),
    _shape("phone", rf"(?<![0-9A-Z])(?P<it>0(?:70|50\d){_GAP}?\d{{3,4}}{_GAP}?\d{{4}})(?![0-9])", _is_mobile),
    _shape(
        "phone",
        rf"(?<![0-9A-Z])(?<![0-9][./-])(?P<it>[(]?{_AREA}{_GAP}\d{{3,4}}{_GAP}?\d{{4}})(?![0-9])",
        _is_landline,
    ),
    _shape("phone", rf"(?<![0-9A-Z])(?<![0-9][./,-])(?P<it>{_AREA}\d{{7,8}})(?![0-9A-Z])", _is_landline),
    _shape(
        "phone",
        r"(?<![0-9A-Z)+])(?<![0-9)][ ])(?P<it>[+][1-9]\d{0,2}(?:[ .-]?[(]?\d{1,4}[)]?){2,5})(?![0-9])",
        _is_foreign,
    ),
    _shape(
        "account",
        r"""(?:계좌|은행|뱅크|농협|신협|수협|새마을금고|우체국(?![ ]?(?:택배|등기|소포))|account)[^0-9\n]{0,14}?
        (?P<it>\d{2,6}(?:-\d{1,7}){1,4}|\d{10,14})(?![0-9])""",
        _is_account,
    ),
    _shape(
        "account",
        r"(?:계좌|account)[^0-9\n]{0,14}?(?P<it>\d{3,6}(?:(?:[ .]|[ ]?-[ ]?)\d{2,7}){2,3})(?![ ]?-?[ ]?[0-9])",
        _is_account,
    ),
    _shape(
        "account",
        r"""(?:국민|신한|하나|기업|우리|토스|카뱅|케뱅|씨티|제일|산업|수협)[ ]?
        (?P<it>\d{3,6}-\d{2,6}-\d{4,7}(?:-\d{1,3})?)(?![0-9])""",
        _is_account,
    ),
)
