"""What stands beside a number and tells whose it is: somebody's, a thing's, or a piece of something longer.

In each match `it` is the number. Only a bounded piece of the text around it is looked at.
"""

import re
from typing import Final

_OWN: Final = {
    "resident_number": re.compile(
        r"주민(?!센터|자치|회|세|대표|투표)|외국인[ ]?(?:등록|번호)|거소[ ]?(?:신고|번호)"
        r"|rrn|resident[ ](?:reg|id|no|num)|(?:alien|foreigner)[ ]reg|korean[ ]id",
        re.IGNORECASE,
    ),
    "card": re.compile("카드|card|visa", re.IGNORECASE),
    "mobile": re.compile("휴대|핸드폰|폰|전화|연락|mobile|cell|h\\.?p", re.IGNORECASE),
    "phone": re.compile("전화|연락|폰|번호|문자|팩스|tel|phone|mobile|call|fax|h\\.?p", re.IGNORECASE),
}
"""Words beside a number that say what it is, by kind."""

_NEAR: Final = 28

_END: Final = r"(?:[ ]?(?:no|number))?[ ]?(?:은|는|이|가)?[ .:=#(]{0,3}\Z"
_PUBLIC: Final = r"(?:법인|사업자)[ ]?(?:등록)?[ ]?번호"
_THING: Final = "주문|접수|일련|운송장|송장|등기|쿠폰|상품권|부품|제품|상품|모델|시리얼|출원|특허|사건|문서"
_CODE: Final = (
    r"(?<![a-z])(?:isbn|issn|ean|serial|tracking|(?:order|part|invoice|model|version)[ ]?(?:no|number|code|id|#))"
)
_OF_A_THING: Final = re.compile(
    rf"(?:{_PUBLIC}|(?:{_THING})[ ]?(?:번호|코드|명)|학번|바코드|운송장|송장|시리얼|버전|품번|{_CODE}){_END}",
    re.IGNORECASE,
)
_OF_A_FIRM: Final = re.compile(_PUBLIC + _END)

_WEB_ADDRESS: Final = re.compile(r"://[A-Za-z0-9/?&=#%._~:+@-]{1,200}\Z")
_LETTER: Final = re.compile(r"[A-Za-z]\Z")
_LABEL: Final = re.compile(r"(?:tel|phone|hp|mobile|rrn|card|visa)\Z", re.IGNORECASE)
_DECIMAL: Final = re.compile(r"[0-9][.]\Z")
_ITEM: Final = re.compile(r"(?:\A|[ \n])[1-9]\d?[.]\Z")
_ITEM_OF_ITS_OWN_LINE: Final = re.compile(r"(?:\A|\n)[ ]{0,3}[1-9]\d?[.]\Z")


def of_a_thing(match: "re.Match[str]") -> bool:
    """Whether the words right before it say that it is of something, not of somebody."""
    return _ends(match, _OF_A_THING)


def of_a_firm(match: "re.Match[str]") -> bool:
    """Whether the words right before it say that it is a firm's, and so public."""
    return _ends(match, _OF_A_FIRM)


def labelled(match: "re.Match[str]", kind: str) -> bool:
    """Whether a word before or behind it says that it is of this kind."""
    end = match.end("it")
    return labelled_before(match, kind) or bool(_OWN[kind].search(match.string, end, end + _NEAR))


def labelled_before(match: "re.Match[str]", kind: str) -> bool:
    start = match.start("it")
    return bool(_OWN[kind].search(match.string, max(0, start - _NEAR), start))


def in_a_word(match: "re.Match[str]", *, often_decimal: bool = False) -> bool:
    """Whether digits without a gap are a piece of an address, of a code with letters, or of a decimal.

    `1.` is no beginning of a decimal where it numbers an item of a list; of what is `often_decimal`, at the beginning
    of a line alone.
    """
    if not match["it"].isdigit():
        return False
    if _ends(match, _WEB_ADDRESS, 203) or re.match("[A-Za-z]", match.string[match.end("it") :][:1]):
        return True
    if _ends(match, _DECIMAL):
        return not _ends(match, _ITEM_OF_ITS_OWN_LINE if often_decimal else _ITEM)
    return _ends(match, _LETTER) and not _ends(match, _LABEL)


def _ends(match: "re.Match[str]", pattern: "re.Pattern[str]", width: int = 24) -> bool:
    """Whether what stands before it ends so."""
    start = match.start("it")
    return bool(pattern.search(match.string, max(0, start - width), start))
