"""The shapes of personal data in a plainly spelled text (`personal.py`), and what tells them from innocent numbers.

Every repetition is bounded, so that searching stays linear whatever the text is.
"""

import re
from calendar import monthrange
from collections.abc import Callable
from typing import Final, Literal, NamedTuple

Kind = Literal["resident_number", "card", "phone", "email", "passport", "licence", "account"]
Holds = Callable[["re.Match[str]"], bool]

MASKED: Final = "\uffff"
"""Stands where something was masked already; no text has it, as it is no character."""


class Shape(NamedTuple):
    """What `it` in the pattern is, where `holds` says so."""

    kind: Kind
    pattern: "re.Pattern[str]"
    holds: Holds


_GAP: Final = r"(?:[ ]?[-./)_~][ ]?|[ ]{1,2})"
_OWN: Final = {
    "resident_number": re.compile("주민|외국인등록|rrn|resident reg|korean id", re.IGNORECASE),
    "card": re.compile("카드|card|visa", re.IGNORECASE),
    "phone": re.compile("전화|연락|폰|번호|문자|팩스|tel|phone|mobile|call|fax|h\\.?p", re.IGNORECASE),
}
"""Words beside a number that say what it is."""
_OTHER: Final = re.compile(
    r"(?:(?:주문|접수|일련|운송장|송장|등기|쿠폰|상품권|부품|제품|상품|모델|시리얼|출원|특허|법인등록|사업자등록|사건|문서|학)"
    r"[ ]?(?:번호|코드|명)?|바코드|시리얼|버전|품번|isbn|issn|ean|order|serial|part|tracking|invoice|model|version)"
    r"(?:[ ]?(?:no|number))?[ ]?(?:은|는|이|가)?[ .:=#(]{0,3}$",
    re.IGNORECASE,
)
"""Words directly before a number that say it is of something, not of somebody."""


def _before(match: "re.Match[str]", width: int = 24) -> str:
    start = match.start("it")
    return match.string[max(0, start - width) : start]


def _digits(text: str) -> str:
    return "".join(letter for letter in text if "0" <= letter <= "9")


def _labelled(match: "re.Match[str]", kind: Kind) -> bool:
    end = match.end("it")
    return bool(_OWN[kind].search(_before(match, 20)) or _OWN[kind].search(match.string[end : end + 28]))


def _of_a_thing(match: "re.Match[str]") -> bool:
    return bool(_OTHER.search(_before(match)))


def _in_a_word(match: "re.Match[str]") -> bool:
    """Whether it is a piece of an address, of a code with letters, or of a decimal."""
    if "://" in _before(match, 200).split(" ")[-1] or re.match("[A-Za-z]", match.string[match.end("it") :][:1]):
        return True
    before = _before(match, 8).lower()
    labelled = before.endswith(("tel", "phone", "hp", "mobile", "rrn"))
    return not labelled and bool(re.search(r"[a-z]$|[0-9][.,]$", before))


def _is_resident_number(match: "re.Match[str]") -> bool:
    digits = _digits(match["it"])
    if _of_a_thing(match) or not _is_date(digits):
        return False
    if match["firm"] or _labelled(match, "resident_number"):
        return True
    return len(digits) == 13 and _fits_resident(digits) and not (_is_barcode(digits) or _in_a_word(match))


def _is_date(digits: str) -> bool:
    """Whether a resident number's first six digits are a day; its seventh tells the century."""
    century = 1800 + 100 * ("90", "1256", "3478").index(next(c for c in ("90", "1256", "3478") if digits[6] in c))
    year, month, day = century + int(digits[:2]), int(digits[2:4]), int(digits[4:6])
    return 1 <= month <= 12 and 1 <= day <= monthrange(year, month)[1]


def _fits_resident(digits: str) -> bool:
    """Whether the check digit fits; numbers given since October 2020 have none, and those are children's."""
    weights = (2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5)
    total = sum(weight * int(digit) for weight, digit in zip(weights, digits, strict=False))
    foreign = 2 if digits[6] in "5678" else 0
    young = digits[6] in "3478" and "2010" <= digits[:4] < "3001"
    return young or (11 - total % 11 + foreign) % 10 == int(digits[12])


def _is_barcode(digits: str) -> bool:
    """Whether 13 digits are a Korean article number (EAN-13 with the prefix 880)."""
    values = [int(digit) for digit in digits]
    return digits.startswith("880") and (sum(values[::2]) + 3 * sum(values[1::2])) % 10 == 0


def _is_card(match: "re.Match[str]") -> bool:
    digits = _digits(match["it"])
    if _of_a_thing(match) or _in_a_word(match) or len(set(digits)) == 1:
        return False
    if _ISSUERS.fullmatch(digits) and _luhn(digits) and "000000" not in digits:
        return True
    return len(digits) == 16 and not match["it"].isdigit() and _labelled(match, "card")


_ISSUERS: Final = re.compile(
    r"4\d{15}|5[1-5]\d{14}|2[2-7]\d{14}|3[47]\d{13}|3(?:0[0-5]|[689]\d)\d{11}|35\d{14}|6\d{15,18}|9\d{15}"
)


def _luhn(digits: str) -> bool:
    doubled = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)
    values = [int(digit) for digit in reversed(digits)]
    return (sum(values[::2]) + sum(doubled[value] for value in values[1::2])) % 10 == 0


def _is_mobile(match: "re.Match[str]") -> bool:
    return not match["it"].isdigit() or not _in_a_word(match)


def _is_spelled_mobile(match: "re.Match[str]") -> bool:
    return len(set(_digits(match["it"]))) >= 4


def _is_landline(match: "re.Match[str]") -> bool:
    return not _of_a_thing(match) and (not match["it"].isdigit() or _labelled(match, "phone"))


def _is_foreign(match: "re.Match[str]") -> bool:
    return 10 <= len(_digits(match["it"])) <= 15


def _is_account(match: "re.Match[str]") -> bool:
    return 10 <= len(_digits(match["it"])) <= 16


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


_HANGUL_DIGITS: Final = "공영일이삼사오육륙칠팔구"
_FOUR: Final = rf"(?:\d{{4}}|[{_HANGUL_DIGITS}]{{4}})"
_THREE_OR_FOUR: Final = rf"(?:{_FOUR}|\d{{3}}|[{_HANGUL_DIGITS}]{{3}})"
_AREA: Final = r"0(?:2|3[1-3]|4[1-4]|5[1-5]|6[1-4])"
_AT: Final = r"(?:[ ]?@[ ]?|[ ]?[(\[{<][ ]?at[ ]?[)\]}>][ ]?|[ ]?[(\[]?(?:골뱅이|앳)[)\]]?[ ]?)"
_DOT: Final = r"(?:[ ]?\.|[ ]?[(\[{<][ ]?dot[ ]?[)\]}>][ ]?|[ ]dot[ ]|[ ]?[점닷][ ]?)"
_LOCAL: Final = r"(?P<local>(?<![A-Z0-9._%+-])[A-Z0-9._%+-]{1,64}|(?<![A-Z0-9가-힣])[가-힣]{2,10})"
_LABEL: Final = r"[A-Z0-9가-힣-]{1,63}"
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
        r"""(?<![0-9])(?P<it>\d\d[ ./-]?\d\d[ ./-]?\d\d
        (?:(?P<firm>[ ]?[-_~/][ ]?|[ ]{1,2}|[ ]?(?:하이픈|다시|대시)[ ]?)|[ ]?[.][ ]?|)
        \d(?:\d{6}|[*●○xㅇ]{6}))(?![0-9])""",
        _is_resident_number,
    ),
    _shape(
        "resident_number",
        r"""(?<![0-9])(?<![0-9][ .-])(?P<it>(?P<firm>)\d(?:[ .-]\d){5}(?:[ ]?[.-][ ]?|[ ])\d(?:[ .-]\d){6})
        (?![ .-]?[0-9])""",
        _is_resident_number,
    ),
    _shape(
        "card",
        rf"""(?<![0-9A-Z])(?<![0-9][.,])(?P<it>\d{{4}}(?P<gap>{_GAP})(?:\d{{4}}(?P=gap)\d{{4}}(?P=gap)\d{{4}}
        (?:(?P=gap)?\d{{1,3}})?|\d{{6}}(?P=gap)\d{{4,5}}))(?![0-9])""",
        _is_card,
    ),
    _shape("card", r"(?<![0-9A-Z])(?<![0-9][.,])(?P<it>\d{14,19})(?![0-9A-Z])", _is_card),
    _shape("card", r"(?<![0-9])(?<![0-9][ .-])(?P<it>\d(?:[ -]\d){13,18})(?![ .-]?[0-9])", _is_card),
    _shape(
        "passport",
        r"(?:여권|passport)[^0-9\n]{0,16}?(?<![A-Z])(?P<it>[A-Z](?:\d{8}|\d{3}[A-Z]\d{4}))(?![0-9A-Z])",
    ),
    _shape(
        "licence",
        rf"""(?:면허|licen[cs]e)[^0-9\n]{{0,20}}?
        (?P<it>(?:(?:{_REGION})[ -]?|\d\d[ -]?)\d\d[ -]?\d{{6}}[ -]?\d\d)(?![0-9])""",
    ),
    _shape(
        "phone",
        rf"""(?<![0-9A-Z])(?P<it>(?:(?:[+][ ]?|00(?:1[ -]?)?)82{_GAP}?[(]?0?[)]?(?:1[016789]|70|50\d|2|[3-6][1-5])|
        82{_GAP}?1[016789]){_GAP}?\d{{3,4}}{_GAP}?\d{{4}})(?![0-9])""",
    ),
    _shape(
        "phone",
        rf"""(?<![0-9])(?P<it>[(]?[0o공영][ ]?[1l일][ ]?[0o공영16789][)]?{_GAP}?
        {_THREE_OR_FOUR}{_GAP}?{_FOUR})(?![0-9])""",
        _is_mobile,
    ),
    _shape(
        "phone",
        r"(?<![0-9])(?<![0-9][ .,-])(?P<it>0[ .-]1[ .-][016789](?:[ .-]{1,3}\d){7,8})(?![ .-]?[0-9])",
        _is_spelled_mobile,
    ),
    _shape("phone", rf"(?<![0-9A-Z])(?P<it>0(?:70|50\d){_GAP}?\d{{3,4}}{_GAP}?\d{{4}})(?![0-9])", _is_mobile),
    _shape(
        "phone",
        rf"(?<![0-9A-Z])(?<![0-9][./-])(?P<it>[(]?{_AREA}{_GAP}\d{{3,4}}{_GAP}?\d{{4}})(?![0-9])",
        _is_landline,
    ),
    _shape("phone", rf"(?<![0-9A-Z])(?<![0-9][./,-])(?P<it>{_AREA}\d{{7,8}})(?![0-9A-Z])", _is_landline),
    _shape(
        "phone",
        r"(?<![0-9A-Z)])(?<![0-9)][ ])(?P<it>[+][1-9]\d{0,2}(?:[ .-]?[(]?\d{1,4}[)]?){2,5})(?![0-9])",
        _is_foreign,
    ),
    _shape(
        "account",
        r"""(?:계좌|은행|뱅크|농협|신협|수협|새마을금고|우체국|account)[^0-9\n]{0,14}?
        (?P<it>\d{2,6}(?:-\d{1,7}){1,4}|\d{10,14})(?![0-9])""",
        _is_account,
    ),
    _shape(
        "account",
        r"""(?:국민|신한|하나|기업|우리|토스|카뱅|케뱅|씨티|제일|산업|수협)[ ]?
        (?P<it>\d{3,6}-\d{2,6}-\d{4,7}(?:-\d{1,3})?)(?![0-9])""",
        _is_account,
    ),
)
