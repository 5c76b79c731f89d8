# SPDX-License-Identifier: MIT
"""Finds the texts of a source tree: what users read, what headers say, and all other comments and names of tests.

A comment of several lines is one text, and so are literals that the compiler concatenates: a reader of texts sees whole
sentences. Code is left out: SQL and C++ outside literals, and `code` in comments and documents.
"""

import bisect
import io
import pathlib
import re
import subprocess
import tokenize

VISIBLE = "user-visible"
HEADERS = "headers"
COMMENTS = "comments"
KINDS = (VISIBLE, HEADERS, COMMENTS)

# Replaces a value in a message, and code in prose.
VALUE = "§"
# Separates paragraphs; no sentence crosses it.
BREAK = "¶"


class Text:
    """A text made of pieces, each of which knows its line."""

    def __init__(self, path, kind, is_comment=False):
        self.path, self.kind, self.is_comment = path, kind, is_comment
        self.words = ""
        self._starts, self._lines = [], []

    def add(self, line, words):
        self._starts.append(len(self.words))
        self._lines.append(line)
        self.words += words

    def line_of(self, offset):
        piece = bisect.bisect_right(self._starts, offset) - 1
        return self._lines[piece] + self.words.count("\n", self._starts[piece], offset)


class LineNumbers:
    def __init__(self, source):
        self._ends = [found.start() for found in re.finditer("\n", source)]

    def __call__(self, offset):
        return bisect.bisect_left(self._ends, offset) + 1


def without_code(words):
    """Replaces `code`, except for the names of programs, by a value."""
    return re.sub(r"`([^`\n]*)`", lambda code: code[0] if re.fullmatch(r"\w+", code[1]) else VALUE, words)


# C++ and what is lexed alike.
_CPP = re.compile(
    r"""(?P<include>^[ \t]*\#[ \t]*include\b[^\n]*)
      | (?P<comment>//(?:\\\n|[^\n])*|/\*.*?\*/)
      | (?P<raw>(?<!\w)(?:u8|[LuU])?R"(?P<mark>[^()\\\s]{0,16})\((?P<body>.*?)\)(?P=mark)")
      | (?P<string>(?<!\w)(?:u8|[LuU])?"(?P<content>(?:\\.|[^"\\\n])*)")
      | (?P<char>(?<!\w)'(?:\\.|[^'\\\n])*')""",
    re.S | re.M | re.X)
_TEST_NAME = re.compile(r"\b(?:TYPED_)?TEST(?:_[FP])?\(\s*(\w+)\s*,\s*(\w+)\s*\)")


def _unescaped(literal):
    simple = {"n": " ", "t": " ", "r": " ", '"': '"', "'": "'", "\\": "\\", "\n": ""}
    escape = r"\\(x[0-9a-fA-F]+|u[0-9a-fA-F]{4}|[0-7]{1,3}|.)"
    return re.sub(escape, lambda found: simple.get(found[1], VALUE), literal, flags=re.S)


def _comment_words(comment):
    """The words of a comment, line by line as in the source."""
    comment = re.sub(r"^/\*+!?|\*+/$", "", comment)
    lines = [re.sub(r"^\s*(//[/!]?|\*(?!\*)|#+|--+)?<?\s?", "", line) for line in comment.split("\n")]
    return "\n".join(lines)


def _is_operator(code, at_end):
    return code.endswith(("+", "<<")) if at_end else code.startswith(("+", "<<"))


def split_name(name):
    """The words of a name in camel case."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|_", " ", name)


class Joiner:
    """Makes texts of comments and literals that follow each other."""

    def __init__(self, path, source, comment_kind, string_kind):
        self.path, self.source = path, source
        self.comment_kind, self.string_kind = comment_kind, string_kind
        self.line = LineNumbers(source)
        self.texts = []
        self._comment, self._comment_end, self._column = None, 0, 0
        self._string, self._string_end, self._skipped = None, 0, ""

    def comment(self, start, end):
        column = start - (self.source.rfind("\n", 0, start) + 1)
        gap = self.source[self._comment_end:start]
        if self._comment is None or gap.strip() or gap.count("\n") > 1 or column != self._column:
            self._comment = Text(self.path, self.comment_kind, is_comment=True)
            self.texts.append(self._comment)
        words = _comment_words(self.source[start:end])
        self._comment.add(self.line(start), (words if words.strip() else BREAK) + "\n")
        self._comment_end, self._column = end, column
        if self._string is not None:
            self._skipped += self.source[self._string_end:start]
            self._string_end = end

    def string(self, start, end, words):
        gap = (self._skipped + self.source[self._string_end:start]).strip()
        joins = self._string is not None
        if joins and gap:
            joins = ";" not in gap and _is_operator(gap, False) and _is_operator(gap, True)
        if not joins:
            self._string = Text(self.path, self.string_kind)
            self.texts.append(self._string)
        before = self.source[:start].rstrip()[-2:]
        after = self.source[end:end + 200].lstrip()
        words = ("" if joins and not gap else f" {VALUE} " if _is_operator(before, True) else "") + words
        if _is_operator(after, False):
            words += f" {VALUE}"
        self._string.add(self.line(start), words)
        self._string_end, self._skipped = end, ""


def cpp_includes(source):
    """(line, name, whether in quotes) of each include of a C++ source, except for those in comments and literals."""
    line = LineNumbers(source)
    for token in _CPP.finditer(source):
        name = token["include"] and re.search(r"""(["<])([^">]+)[">]""", token["include"])
        if name:
            yield line(token.start()), name[2], name[1] == '"'


def cpp_texts(path, source, comment_kind, string_kind, name_kind):
    joiner = Joiner(path, source, comment_kind, string_kind)
    code = list(source)
    for token in _CPP.finditer(source):
        if token["comment"]:
            joiner.comment(*token.span())
        elif token["raw"]:
            joiner.string(*token.span(), token["body"])
        elif token["string"]:
            joiner.string(*token.span(), _unescaped(token["content"]))
        code[token.start():token.end()] = re.sub(r"[^\n]", " ", token[0])
    for name in _TEST_NAME.finditer("".join(code)):
        text = Text(path, name_kind)
        text.add(joiner.line(name.start()), f"{split_name(name[1])} {BREAK} {split_name(name[2])}")
        joiner.texts.append(text)
    return joiner.texts


_SQL = re.compile(r"(?P<comment>--[^\n]*|/\*.*?\*/)|(?P<string>'(?P<content>(?:''|[^'])*)')", re.S)
_CMAKE = re.compile(
    r"""(?P<comment>\#\[(?P<mark>=*)\[.*?\](?P=mark)\]|\#[^\n]*)
      | (?P<string>"(?P<content>(?:\\.|[^"\\])*)")""",
    re.S | re.X)
_SHELL = re.compile(
    r"""(?P<here><<-?\s*['"]?(?P<mark>[A-Z]\w*)['"]?[^\n]*\n(?P<content>.*?)\n\s*(?P=mark)(?=\n|$))
      | (?P<comment>(?:^|(?<=[\s;]))\#[^\n]*)
      | (?P<escaped>\\.)
      | (?P<string>"(?P<double>(?:\\.|[^"\\])*)"|'(?P<single>[^']*)')""",
    re.S | re.X)
_HASHES = re.compile(r"(?P<comment>(?:^|(?<=\s))\#[^\n]*)|(?P<string>(?!))")


def lexed_texts(lexer, path, source, comment_kind, string_kind):
    joiner = Joiner(path, source, comment_kind, string_kind)
    for token in lexer.finditer(source):
        groups = token.groupdict()
        if groups["comment"]:
            joiner.comment(*token.span())
        elif groups["string"] or groups.get("here"):
            words = groups.get("content") or groups.get("double") or groups.get("single") or ""
            first = token.start() if groups["string"] else token.start("content")
            joiner.string(first, token.end(), words)
    return joiner.texts


def python_texts(path, source, comment_kind, string_kind):
    """Comments, and the literals that are not data: a tool of the house keeps the words it looks for in literals."""
    joiner = Joiner(path, source, comment_kind, string_kind)
    starts = [0] + [found.end() for found in re.finditer("\n", source)]
    at_start = True
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        start, end = starts[token.start[0] - 1] + token.start[1], starts[token.end[0] - 1] + token.end[1]
        if token.type == tokenize.COMMENT:
            joiner.comment(start, end)
        elif token.type == tokenize.STRING:
            body = re.fullmatch(r"""(\w*)("{3}|'{3}|"|')(.*)\2""", token.string, re.S)
            if at_start or not path.startswith("tests/house/"):
                joiner.string(start, end, body[3] if len(body[2]) == 3 else _unescaped(body[3]))
        if token.type not in (tokenize.COMMENT, tokenize.NL):
            at_start = token.type in (tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT)
    return joiner.texts


_FENCE = re.compile(r"^(?P<indent> *)```(?P<language>[\w+]*)[^\n]*\n(?P<body>.*?)^ *```[^\n]*$", re.S | re.M)
_CODE_LANGUAGES = {"c++": ".cc", "cpp": ".cc", "cmake": ".cmake", "sql": ".sql", "python": ".py"}
_NEW_BLOCK = re.compile(r"\n(?=\s*(?:\n|[-*+] |\d+\. |#|\|))")


def markdown_texts(path, source, kind):
    line = LineNumbers(source)
    texts = []

    def prose(start, end):
        text = Text(path, kind)
        words = re.sub(r"\]\([^)\n]*\)", "]", source[start:end])
        text.add(line(start), _NEW_BLOCK.sub(f"\n{BREAK} ", words))
        texts.append(text)

    done = 0
    for fence in _FENCE.finditer(source):
        prose(done, fence.start())
        done = fence.end()
        language = _CODE_LANGUAGES.get(fence["language"])
        if language:
            for text in texts_of(f"{path}{language}", fence["body"]):
                text.path, text.kind = path, kind
                text._lines = [number + line(fence.start("body")) - 1 for number in text._lines]
                texts.append(text)
        else:
            text = Text(path, kind)
            text.add(line(fence.start("body")), fence["body"])
            texts.append(text)
    prose(done, len(source))
    return texts


def texts_of(path, source):
    """All texts of a file, or none if its format has none."""
    name = pathlib.PurePosixPath(path)
    is_test = name.parts[0] in ("tests", "bench", ".ci") and path != "bench/README.md"
    always_visible = name.parts[0] in ("examples", ".github") or path == ".env.example"
    visible = COMMENTS if is_test else VISIBLE
    comments = VISIBLE if always_visible else HEADERS if name.suffix == ".h" and not is_test else COMMENTS

    if name.suffix in (".cc", ".h"):
        return cpp_texts(path, source, comments, visible, comments)
    if name.suffix == ".md":
        return markdown_texts(path, source, visible)
    if name.suffix == ".sql":
        return lexed_texts(_SQL, path, source, comments, visible)
    if name.suffix == ".cmake" or name.name == "CMakeLists.txt" or path.endswith(".cmake.in"):
        return lexed_texts(_CMAKE, path, source, comments, visible)
    if name.suffix == ".py":
        return python_texts(path, source, comments, visible)
    if name.suffix == ".sh" or source.startswith("#!/usr/bin/env bash"):
        return lexed_texts(_SHELL, path, source, comments, visible)
    if always_visible:
        text = Text(path, VISIBLE)
        text.add(1, re.sub(r"(?m)^# ?", "  ", source))
        return [text]
    if name.suffix in (".json", ".sha256", ".in") or name.name == "LICENSE":
        return []
    return lexed_texts(_HASHES, path, source, comments, visible)


def files_of(root, paths=()):
    """The files of a tree that git tracks or would, relative to its root; outside git all files."""
    root = pathlib.Path(root)
    list_files = ["git", "-C", root, "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *paths]
    listed = subprocess.run(list_files, capture_output=True, check=False)
    if listed.returncode == 0:
        names = [name for name in listed.stdout.decode().split("\0") if name]
    else:
        starts = [root / path for path in paths] or [root]
        found = (path for start in starts for path in ([start] if start.is_file() else start.rglob("*")))
        names = [str(path.relative_to(root)) for path in found]
    return sorted({name for name in names if (root / name).is_file() and not (root / name).is_symlink()})


def texts_in(root, paths=()):
    for path in files_of(root, paths):
        try:
            source = (pathlib.Path(root) / path).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        yield from texts_of(path, source)
