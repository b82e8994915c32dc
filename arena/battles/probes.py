"""Prompts that ask who the model is; such battles are marked, and operators see their rate.

A prompt asks when one of its clauses holds every part of one of the questions below, in any order.
"""

import re
import unicodedata

_LONGEST = 60  # characters; the parts of a longer clause hardly belong together

_YOU = (
    r"(?<![가-힣\"'“‘「『])(?:너|넌|널|너[는를의도]|네|네가|니가|당신[은을의이도]?"
    r"|이 ?(?:ai|모델|챗봇|인공지능)[은는를을의이가]?)(?![가-힣])"
)
_WHICH = r"(?<![가-힣])(?:누가|누구|어디|어느|무슨|어떤|뭐|무엇)"
_MADE = r"(?:만든|만들|개발|학습|제작|훈련|소속|출신)"
_TELL = r"(?:뭐|뭔|무엇|알려|말해|밝혀|어떻|궁금|어디)"
_IS = r"(?:이?(?:야|니|냐|죠|지|에요|예요|세요|신가요|십니까)|인(?:가요?|가|지)|입니까|이에요|일까)"
_KIND = r"(?:ai|인공지능|(?:언어 ?)?모델|챗봇|봇|llm)"
_BRAND = (
    r"(?<![a-z])(?:chat ?gpt|gpt|claude|gemini|llama|qwen|deepseek|hyper ?clova|exaone|solar|kanana"
    r"|a\.x|varco|skt|kt|lg|지피티|챗지피티|클로드|제미나이|딥시크|하이퍼클로바|엑사원|솔라|카나나|에이닷|바르코|믿음|네이버|카카오|업스테이지)"
)
_YOU_EN = r"\b(?:you|u)\b"
_WHAT_EN = r"\b(?:what|which|whats|tell|reveal|disclose|state|say|give)\b"
_MADE_EN = r"\b(?:made|makes|built|created|trained|developed|designed|owns|programmed|are|r) (?:you|u)\b"
_KIND_EN = r"\b(?:what|which) (?:\w+ ){0,2}?(?:model|ai|llm|company|chatbot|bot|version|lab|assistant|team)\b"

_QUESTIONS = [
    [re.compile(part) for part in parts]
    for parts in (
        (_YOU, _WHICH, _MADE),
        (_YOU, rf"누구{_IS}"),
        (rf"{_YOU} ?(?:진짜 |실제 )?(?:이름|정체|버전|개발사|제작사|모델 ?명)", _TELL),
        (_YOU, rf"(?:어느|무슨|어떤|어디) ?\w{{0,6}} ?(?:\w{{0,4}} )?{_KIND} ?{_IS}"),
        (rf"^\W*(?:어느|무슨|어떤) ?(?:회사|기업|팀)?의? ?{_KIND} ?{_IS}",),
        (_YOU, rf"{_BRAND}[^,]{{0,10}}(?:{_IS}|맞|아니)"),
        (rf"^\W*모델 ?(?:명|이름)[이은을]? ?{_TELL}",),
        (r"^\W*(?:너 ?|네 ?)?자기 ?소개 ?(?:좀 ?)?(?:해|부탁)\s?(?:줘|봐|주세요|해요|드려요|합니다|드립니다)?\W*$",),
        (rf"^\W*(?:누구|이름이? ?(?:뭐|무엇)) ?{_IS}\W*$",),
        (r"\bwho(?: are| r|'re|’re) (?:you|u)(?: really| exactly)?(?:$|,| and\b)",),
        (
            r"\bwho\b",
            r"\b(?:made|makes|built|created|trained|developed|designed|owns|programmed) (?:you|u)\b(?! \w+ing)",
        ),
        (_WHAT_EN, r"\byour (?:\w+ )?(?:name|model|identity|maker|creator|developer|version)\b"),
        (r"\bwhat(?:'s|’s| is) your (?:\w+ )?(?:name|model|identity|maker|creator|developer|version)\b",),
        (_KIND_EN, _MADE_EN),
        (rf"\b(?:are|r) (?:you|u)(?: \w+){{0,2}} {_BRAND}",),
        (r"\b(?:introduce|identify) yourself\b",),
        (r"\bwhere (?:do|did) (?:you|u) come from\b|\bwho do (?:you|u) work for\b|\bwhat are (?:you|u) called\b",),
    )
]
_CLAUSE_END = re.compile(r"[.?!。？！;\n]+(?!x\b)")


def asks_identity(prompt: str) -> bool:
    """Whether a prompt asks, in Korean or English, which model answers or who made it."""
    plain = unicodedata.normalize("NFKC", prompt).casefold()
    return any(_asks(" ".join(clause.split())) for clause in _CLAUSE_END.split(plain))


def _asks(clause: str) -> bool:
    return len(clause) <= _LONGEST and any(all(p.search(clause) for p in parts) for parts in _QUESTIONS)
