#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Counts idioms that this project does not use, in each kind of text: user-visible texts, headers, all other comments.

usage: python3 tests/house/idioms.py [--root DIR] [--list] [--by-idiom] [PATH…]

--list prints each place as FILE:LINE: [IDIOM] WORDS. PATHs restrict it to some files or folders of the tree.
The exit code is 1 if a user-visible text has an idiom, or if the rest of the tree has more than five.
"""

import argparse
import collections
import re
import sys

sys.dont_write_bytecode = True
import texts  # pylint: disable=wrong-import-position

MOST_IN_THE_REST = 5


def _any_of(words):
    return f"(?:{'|'.join(words.split())})"


# After these words "where" tells a place; elsewhere, and before _NO_PLACE, it means "if" or "when".
_PLACES = _any_of(r"""
    folders? files? places? director(?:y|ies) paths? stores? databases? servers? tables? lines? columns? pages?
    spool journals? position point system machine host process programs? part section branch location repository
    project tree shows? says? knows? known finds? found sees? decides? tells? from to of is are was out exactly
    about remembers? learns? asks? reports? notes? chooses? determines? depends\s+on matters? names? prints? looks?
    just near \w+where""")
_AFTER_WHERE = _any_of("""
    it its there the a an no this that these those one nothing none nobody they their he we you your both neither
    either each every some somebody any all another others? several two only what such""")
_NO_PLACE = (r"where (?:there (?:is|are|was)|no|nothing|none|nobody|one (?:is|knows)|it differs|"
             r"(?:it|they) (?:is|are) (?:missing|not))\b(?!\s*=|\.\w)")
# The deeds of those who act: "the others" of some things do less.
_DEEDS = _any_of("""
    do did have had may might can cannot could will would must are were want wait write wrote keep kept read make
    made use used see saw take took changed? deleted? insert inserted hold held run ran work worked deliver
    delivered get got find found claim claimed copy copied look looked call called need go went come came start
    started end ended know knew share put""")
_SHIELD = r"\s+(?:(?:an?|the|its|their|another|such an?)\s+)?(?:[\w-]+\s+)?" + _any_of(r"""
    [\w-]*prox(?:y|ies) firewalls? load\s+balancers? [\w-]*pool(?:er)?s? pgbouncer gateways? nat replicas? cdn §
    """) + r"\b"
_LEFT = r"\b(?:left|leaves?|leaving|lag(?:s|ged|ging)?|falls?|falling|fell)\s+(?:\w+\s+){0,2}"


def _compiled(words):
    return re.compile(words.replace(" ", r"\s+"), re.I) if words else None


class Idiom:
    """The words that count, unless what is in front of them or follows them makes them plain English."""

    def __init__(self, name, words, example, plain, *,
                 unless_after=None, unless_before=None, always=None, in_comments=False):
        self.name, self.example, self.plain, self.in_comments = name, example, plain, in_comments
        self.always = _compiled(always)
        self.words = _compiled(words)
        self.unless_after = re.compile(f"(?:{unless_after})\\s*$", re.I) if unless_after else None
        self.unless_before = _compiled(unless_before)

    def places(self, words):
        for found in self.words.finditer(words):
            if self.always and self.always.match(words, found.start()):
                yield found
            elif self.unless_after and self.unless_after.search(words, max(0, found.start() - 60), found.start()):
                continue
            elif not (self.unless_before and self.unless_before.match(words, found.end())):
                yield found


# Each with a sentence that counts, and how to say it.
IDIOMS = [
    Idiom("whoever", r"\bwhom?ever\b", "Whoever waits for it gets it.", "The caller gets it."),
    Idiom("nobody", r"\bnobody\b", "Nobody else writes it.", "No other process writes it.", unless_before="[@:]"),
    Idiom("somebody", r"\bsomebody\b", "Somebody else has it.", "Another process has it."),
    Idiom("others", rf"\bothers {_DEEDS}\b|\b(?:by|for) others\b|\bothers'(?=\s)",
          "Others kept changing the same runs.", "Other writers kept changing the same runs.",
          unless_after=r"\b(?:the|all)"),
    Idiom("anew", r"\banew\b", "The line is drawn anew.", "The line is redrawn."),
    Idiom("meanwhile", r"\bmeanwhile\b", "It has ended meanwhile.", "It has ended since then."),
    Idiom("befall", r"\bbef[ae]ll(?:s|en|ing)?\b",
          "Each run that this befalls is named.", "Each affected run is named."),
    Idiom("for want of", r"\bfor want of\b",
          "It was killed for want of memory.", "It ran out of memory and was killed."),
    Idiom("save for", r"\bsave for\b", "Equal, save for the times.", "Equal except for the times."),
    Idiom("but for", r"\bbut for\b", "All headers but for internal ones.", "All headers except for internal ones."),
    Idiom("is none", r"\b(?:is|are|was|were) none\b",
          "What they expect is none of its business.", "It does not check what they expect."),
    Idiom("is no X", r"\b(?:is|are|was|were|be) no (?=[`'\"§\w])",
          "'5x' is no share.", "Invalid share '5x'; expected a percentage.",
          unless_after=r"\bthere",
          unless_before=_any_of("""longer more less fewer better worse different easier faster slower bigger larger
                                   smaller later earlier sooner""") + r"\b"),
    Idiom("where (if)", rf"\b(?-i:[Ww]here) {_AFTER_WHERE}\b",
          "Where it cannot be noted, the next program tries again.",
          "If it cannot be noted, the next program tries again.",
          unless_after=rf"\b{_PLACES}[:/`]?|#", unless_before=r"\s*[.=<>(]| (?:\w+ )?(?:comes?|came|goes|went)\b",
          always=_NO_PLACE),
    Idiom("behind", r"\bbehind\b", "The tests behind it did not run.", "The tests after it did not run.",
          unless_after=_LEFT, unless_before=_SHIELD),
    Idiom("of its own", r"\bof (?:its|their) own\b", "A file of its own.", "Its own file; a separate file."),
    Idiom("lies", r"\b(?:lies|lie (?:there|here|in|on|at|under|between|next|around))\b",
          "The journal lies in the spool.", "The journal is in the spool."),
    Idiom("stands", r"\b(?:stands|stand (?:there|here|in|on|at|for|before|after|behind|between|next))\b",
          "It stands in the header.", "It is in the header."),
    Idiom("told", r"\btold\b", "The sink is told each batch.", "The sink is notified of each batch."),
    Idiom("tell of", r"\btells? of\b", "Its messages tell of it.", "Its messages report it."),
    Idiom("beside", r"\bbeside\b", "It keeps a file beside the database.", "It keeps a file next to the database."),
    Idiom("below ctest", r"\bbelow (?:(?:a|an|the|one|its|that|some|any|each) )?`?(?:ctest|bazel|make|meson)\b",
          "Programs below one ctest are one part.", "Programs under one ctest are one part."),
    Idiom("Gives", r"(?:^|[¶.:;!?])\s*(?-i:Gives)\b", "Gives the name of the store.", "Returns the name of the store.",
          in_comments=True),
    Idiom("wanted is", r"\b(?:wanted (?:is|are)|(?:is|are) wanted)\b",
          "Wanted is a percentage.", "Expected a percentage."),
    Idiom("no use for", r"\bno use for\b", "There is no use for '-x'.", "Unexpected argument '-x'."),
    Idiom("take along", r"\b(?:tak(?:es?|en|ing)|took) (?:[\w-]+ ){0,3}along\b",
          "The next delivery takes it along.", "The next delivery picks it up."),
    Idiom("let go of", r"\blet(?:s|ting)? go\b", "It lets go of the journal.", "It releases the journal."),
    Idiom("so often", r"\bso often\b", "It tries so often.", "It tries up to three times."),
]


def idioms_in(text):
    """Yields (line, idiom, the words around it) for each idiom of a text."""
    words = texts.without_code(text.words)
    for idiom in IDIOMS:
        if idiom.in_comments and not text.is_comment:
            continue
        for found in idiom.places(words):
            start = found.end() - len(found[0].lstrip(" \n.:;!?" + texts.BREAK))
            around = words[max(0, start - 45):found.end() + 35]
            yield text.line_of(start), idiom, " ".join(around.split())


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", default=".", help="the folder of the source tree")
    parser.add_argument("--list", action="store_true", help="print each place")
    parser.add_argument("--by-idiom", action="store_true", help="print how often each idiom is used")
    parser.add_argument("paths", nargs="*", metavar="PATH", help="files or folders, relative to the root")
    options = parser.parse_args(arguments)

    counts = collections.Counter()
    by_idiom = collections.defaultdict(collections.Counter)
    places = []
    for text in texts.texts_in(options.root, options.paths):
        for line, idiom, words in idioms_in(text):
            counts[text.kind] += 1
            by_idiom[idiom][text.kind] += 1
            places.append((text.kind, text.path, line, idiom.name, words))
    if options.list:
        for kind, path, line, name, words in sorted(places):
            print(f"{path}:{line}: [{name}] {words}  ({kind})")
    if options.by_idiom:
        for idiom in sorted(by_idiom, key=lambda idiom: -by_idiom[idiom].total()):
            figures = "  ".join(f"{by_idiom[idiom][kind]:5} {kind}" for kind in texts.KINDS)
            print(f"{idiom.name:12} {figures}   plain: {idiom.plain}")
    for kind in texts.KINDS:
        print(f"{counts[kind]:6} {kind}")
    rest = counts[texts.HEADERS] + counts[texts.COMMENTS]
    failed = counts[texts.VISIBLE] > 0 or rest > MOST_IN_THE_REST
    if failed:
        print(f"too many idioms: 0 are allowed in user-visible texts, {MOST_IN_THE_REST} elsewhere; --list shows them",
              file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
