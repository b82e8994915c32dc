"""What every test of the demo teams needs: their codes, the suggestions, and the names no answer may hold."""

import re
import tomllib
from importlib.resources import files

from arena.demo.personas import PERSONAS

CODES = sorted(PERSONAS)
SUGGESTIONS = tomllib.loads(files("arena.rounds").joinpath("suggestions.toml").read_text("utf-8"))["suggestion"]
NAMES = re.compile(
    r"\b(?:gaon|nuri|dasom|maru|byeol)\b|가온|누리|다솜|마루|별 ?팀"
    r"|openai|chatgpt|\bgpt|\bclaude\b|anthropic|gemini|google|llama|qwen|mistral|deepseek|naver|kakao|upstage|exaone"
    r"|네이버|카카오|구글|업스테이지|삼성|엘지|\bSKT?\b|\bLG\b|\bKT\b",
    re.IGNORECASE,
)
