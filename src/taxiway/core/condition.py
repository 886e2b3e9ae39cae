"""Conditions over one record, as SQL writes them: small, typed, and quick without a database.

    borderline:  probability BETWEEN 0.2 AND 0.3
    large:       amount > 50000 AND NOT region IN ('north', 'south')

A condition is read once and then asked of plain records, in some hundred nanoseconds each. It is
true, false, or null where a value is missing that matters (SQL's three-valued logic); a law test
holds it against SQLite and polars.

    condition := and (OR and)*                and  := not (AND not)*
    not       := NOT not | test               sum  := product (('+' | '-') product)*
    test      := sum [compare sum | [NOT] BETWEEN sum AND sum | [NOT] IN (sum, …)
                     | [NOT] LIKE 'text' | IS [NOT] NULL | IS [NOT] TRUE | IS [NOT] FALSE]
    product   := sign (('*' | '/') sign)*     sign := '-' sign | value
    value     := number | 'text' | TRUE | FALSE | DATE '…' | TIMESTAMP '…' | column | "column"
                 | '(' condition ')'
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from taxiway.core import meaning
from taxiway.core.errors import InputError, Problem, close_match, shortened
from taxiway.core.meaning import ANY, DAY, NUMBER, TEXT, TIME, TRUTH, Part, Row

LONGEST = 1000
DEEPEST = 30
"""How deep parentheses, NOT and signs may nest."""

TOKEN = re.compile(
    r"""\s*(?:
      (?P<text>'(?:[^']|'')*')
    | (?P<quoted>"(?:[^"]|"")+")
    | (?P<word>[^\W\d]\w*)
    | (?P<number>(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?(?!\w))
    | (?P<sign><=|>=|<>|!=|[-+*/()<>=,])
    | (?P<wrong>\S)
    )""",
    re.VERBOSE,
)
WORDS = frozenset({"and", "or", "not", "between", "in", "like", "is"})
"""Words that are neither columns nor values, unless they are quoted."""
EQUAL = ("=", "<>", "!=")
A_VALUE = "a column or a value"


@dataclass(frozen=True, slots=True)
class Condition:
    """What was read: `holds` answers true, false or null (None) for a record."""

    text: str
    columns: tuple[str, ...]
    """Those that it names, in their order."""
    holds: Callable[[Row], bool | None]


def read_condition(text: str, columns: Mapping[str, str]) -> Condition:
    """The condition in a text over columns {name: contract type}.

    Raises `InputError` with everything that is wrong.

    >>> large = read_condition("amount > 5 AND NOT old", {"amount": "number", "old": "boolean"})
    >>> [large.holds({"amount": a, "old": o}) for a, o in [(6.0, False), (1.0, None), (6.0, None)]]
    [True, False, None]
    """
    reader = _Reader(text, columns)
    whole = meaning.UNKNOWN
    try:
        whole = reader.whole()
    except _UnreadableError as error:
        reader.problems.append(error.problem)
    if reader.problems:
        raise InputError(f"The condition `{shortened(text, 80)}` can't be used.", reader.problems)
    return Condition(text, tuple(reader.named), whole.get)


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    at: int

    @property
    def word(self) -> str:
        """A word in small letters, a sign as it is; a text or a quoted name is neither."""
        return {"word": self.text.lower(), "sign": self.text}.get(self.kind, "")


END = _Token("end", "", -1)


class _UnreadableError(Exception):
    """What stops the reading; the problem says where."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        super().__init__(problem.what)


class _Reader:
    """Reads a condition from left to right, and makes a function of each part."""

    def __init__(self, text: str, columns: Mapping[str, str]) -> None:
        self._columns = columns
        self._text = text
        self._tokens = [
            _Token(str(m.lastgroup), m[str(m.lastgroup)], m.start(str(m.lastgroup)))
            for m in TOKEN.finditer(text[: LONGEST + 1])
        ]
        self._next = 0
        self._depth = 0
        self.named: dict[str, None] = {}
        self.problems: list[Problem] = []

    # Tokens

    @property
    def _token(self) -> _Token:
        return self._tokens[self._next] if self._next < len(self._tokens) else END

    def _take(self, word: str) -> bool:
        """Whether the next token is this; then it is taken."""
        taken = self._token.word == word
        self._next += taken
        return taken

    def _need(self, word: str) -> None:
        if not self._take(word):
            raise self._stop(word.upper())

    def _stop(self, expected: str) -> _UnreadableError:
        token = self._token
        at = len(self._text) if token is END else token.at
        found = "its end" if token is END else shortened(token.text, 40)
        return _UnreadableError(Problem(f"it can't be read at character {at + 1}", found, expected))

    def _say(
        self, what: str, found: str | None = None, expected: str | None = None, todo: str = ""
    ) -> Part:
        self.problems.append(Problem(what, found, expected, todo=todo or None))
        return meaning.UNKNOWN

    def _deeper(self, read: Callable[[], Part]) -> Part:
        self._depth += 1
        if self._depth > DEEPEST:
            raise _UnreadableError(Problem("it nests too deep", expected=f"at most {DEEPEST} deep"))
        part = read()
        self._depth -= 1
        return part

    # Truth

    def whole(self) -> Part:
        """The whole condition. Raises `_UnreadableError` where it can't be read on."""
        if len(self._text) > LONGEST:
            found = f"{len(self._text):,} characters"
            raise _UnreadableError(Problem("it is too long", found, f"at most {LONGEST:,}"))
        if not self._tokens:
            raise self._stop("a condition such as probability BETWEEN 0.2 AND 0.3")
        part = self._or()
        if self._token is not END:
            raise self._stop("AND, OR or the end")
        return self._truth(part)

    def _truth(self, part: Part) -> Part:
        if part.kind in {TRUTH, ANY}:
            return part
        return self._say("it is no condition", part.kind, TRUTH)

    def _or(self) -> Part:
        return self._joined("or", self._and, settles=True)

    def _and(self) -> Part:
        return self._joined("and", self._not, settles=False)

    def _joined(self, word: str, read: Callable[[], Part], *, settles: bool) -> Part:
        parts = [read()]
        while self._take(word):
            parts.append(read())
        if len(parts) == 1:
            return parts[0]
        return meaning.joined([self._truth(part) for part in parts], settles=settles)

    def _not(self) -> Part:
        if self._take("not"):
            return meaning.negated(self._truth(self._deeper(self._not)))
        return self._test()

    def _test(self) -> Part:
        left = self._sum()
        if (sign := self._token.word) in meaning.COMPARE:
            self._next += 1
            return self._compared(sign, left, self._sum())
        if self._take("is"):
            return self._is(left)
        no = self._take("not")
        if self._take("between"):
            part = self._between(left)
        elif self._take("in"):
            part = self._in(left)
        elif self._take("like"):
            part = self._like(left)
        elif no:
            raise self._stop("BETWEEN, IN or LIKE")
        else:
            return left
        return meaning.negated(part) if no else part

    def _compared(self, sign: str, left: Part, right: Part) -> Part:
        left, right = self._pair(sign, left, right)
        if TRUTH in {left.kind, right.kind} and sign not in EQUAL:
            return self._say(f"true and false have no order, and `{sign}` asks for one")
        return meaning.compared(sign, left, right)

    def _between(self, left: Part) -> Part:
        low = self._sum()
        self._need("and")
        high = self._sum()
        if left.kind == TRUTH:
            return self._say("true and false have no order, and BETWEEN asks for one")
        left, low = self._pair("BETWEEN", left, low)
        left, high = self._pair("BETWEEN", left, high)
        return meaning.between(left, low, high)

    def _in(self, left: Part) -> Part:
        self._need("(")
        values = []
        while True:
            part = self._sum()
            if part.literal is None and part.kind != ANY:
                self._say("a list holds values, no columns", todo="For instance ('JFK', 'LGA').")
            left, part = self._pair("IN", left, part)
            values.append(part.literal)
            if not self._take(","):
                break
        self._need(")")
        return meaning.among(left, values)

    def _like(self, left: Part) -> Part:
        if self._token.kind != "text":
            raise self._stop("a pattern such as 'JF%'")
        pattern = _unquoted(self._token.text)
        self._next += 1
        if left.kind not in {TEXT, ANY}:
            return self._say("LIKE takes text", left.kind)
        return meaning.like(left, pattern)

    def _is(self, left: Part) -> Part:
        no = self._take("not")
        if self._take("null"):
            part = meaning.identical(left, None)
        elif self._take("true"):
            part = meaning.identical(self._truth(left), wanted=True)
        elif self._take("false"):
            part = meaning.identical(self._truth(left), wanted=False)
        else:
            raise self._stop("NULL, TRUE or FALSE")
        return meaning.negated(part) if no else part

    def _pair(self, sign: str, left: Part, right: Part) -> tuple[Part, Part]:
        """Two parts of one kind: a text that is written beside a date or a time is one, too."""
        if left.kind == right.kind or ANY in {left.kind, right.kind}:
            return left, right
        if left.kind in {DAY, TIME} and right.kind == TEXT and right.literal is not None:
            return left, self._moment(left.kind, right.literal)
        if right.kind in {DAY, TIME} and left.kind == TEXT and left.literal is not None:
            return self._moment(right.kind, left.literal), right
        self._say(f"`{sign}` compares {left.kind} with {right.kind}")
        return left, right

    # Values

    def _sum(self) -> Part:
        return self._calculated(self._product, ("+", "-"))

    def _product(self) -> Part:
        return self._calculated(self._sign, ("*", "/"))

    def _calculated(self, read: Callable[[], Part], signs: tuple[str, str]) -> Part:
        left = read()
        while (sign := self._token.word) in signs:
            self._next += 1
            parts = [left, read()]
            wrong = [part.kind for part in parts if part.kind not in {NUMBER, ANY}]
            if wrong:
                left = self._say(f"`{sign}` takes numbers", wrong[0])
            else:
                left = meaning.calculated(sign, *parts)
        return left

    def _sign(self) -> Part:
        if not self._take("-"):
            return self._value()
        part = self._deeper(self._sign)
        if part.kind not in {NUMBER, ANY}:
            return self._say("`-` takes a number", part.kind)
        return meaning.negative(part)

    def _value(self) -> Part:
        if self._take("("):
            part = self._deeper(self._or)
            self._need(")")
            return part
        token = self._token
        if token.kind in {"sign", "wrong", "end"} or token.word in WORDS:
            raise self._stop(A_VALUE)
        self._next += 1
        if token.kind == "number":
            return self._number(token.text)
        if token.kind == "text":
            return meaning.literal(TEXT, _unquoted(token.text))
        if token.kind == "quoted":
            return self._column(token.text[1:-1].replace('""', '"'))
        return self._word(token)

    def _word(self, token: _Token) -> Part:
        if token.word in {"true", "false"}:
            return meaning.literal(TRUTH, token.word == "true")
        if token.word == "null":
            return self._say("nothing is ever equal to NULL", expected="IS NULL or IS NOT NULL")
        if token.word in {"date", "timestamp"} and self._token.kind == "text":
            text = _unquoted(self._token.text)
            self._next += 1
            return self._moment(DAY if token.word == "date" else TIME, text)
        if self._token.word == "(":
            self._next -= 1
            raise self._stop(f"{A_VALUE} (there are no functions here)")
        return self._column(token.text)

    def _number(self, text: str) -> Part:
        value = int(text) if text.isdigit() and len(text) < 19 else float(text)
        if not math.isfinite(value):
            return self._say("the number is too large", text)
        return meaning.literal(NUMBER, value)

    def _column(self, name: str) -> Part:
        if name not in self._columns:
            match = close_match(name, self._columns)
            known = f"Known: {shortened(', '.join(self._columns))}."
            what = f"there is no column {shortened(name, 60)!r}"
            return self._say(what, todo=f"Did you mean {match!r}?" if match else known)
        self.named[name] = None
        return meaning.column(name, self._columns[name])

    def _moment(self, kind: str, text: str) -> Part:
        try:
            return meaning.moment(kind, text)
        except ValueError:
            example = "2027-03-01" if kind == DAY else "2027-03-01T10:00:00Z"
            return self._say(f"{shortened(text, 40)!r} is not {kind}", expected=f"'{example}', say")


def _unquoted(text: str) -> str:
    return text[1:-1].replace("''", "'")
