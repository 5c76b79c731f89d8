#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks which room includes which: the arrows of the design, and no cycles between files, modules or rooms.

usage: python3 tests/house/include_arrows.py [--root DIR]

A room is a folder of the table below. A module is a header and the source of the same name. Each finding is printed as
FILE:LINE: TEXT; the exit code is 1 if there is one.
"""

import argparse
import collections
import functools
import pathlib
import re
import sys

sys.dont_write_bytecode = True
import texts  # pylint: disable=wrong-import-position

# What each room may include in addition to itself. The name of a folder is that folder alone, without its subfolders.
# KIND is each folder of stores/ that has no line here: the code of one store, which may not include another one's.
KIND = "stores/<kind>"
ARROWS = {
    "recorder": [],
    "history": [],
    "stores": ["history"],
    "stores/sql": ["stores", "history"],
    "stores/http": ["stores", "history"],
    KIND: ["stores", "stores/sql", "stores/http", "history"],
    "settings": ["stores", "history"],
    "transfer": ["stores", "history"],
    "formats": ["transfer", "stores", "history"],
    "spool": ["transfer", "stores", "history"],
    "delivery": ["spool", "formats", "transfer", "settings", "stores", "history"],
    "analysis": ["history"],
    "report": ["analysis", "history"],
    "cli/output": ["transfer", "settings", "stores", "history"],
    "cli": ["cli/output", "report", "analysis", "delivery", "spool", "formats", "transfer", "settings", "stores",
            "stores/memory", "history"],
}
# The files of the recorder that the program uses, too: what a secret looks like must be decided in one place, and the
# recorder cannot include files of other rooms.
SHARED = ("recorder/secret_text.h", "recorder/setting_text.h")
SHARED_BY = "history/masked.cc"
# The one file of the contract that knows every store.
DRIVER_TABLE = "stores/open.cc"
# These may include everything.
FREE = ("tests", "bench", "examples")
# Compiled in users' builds, from one folder: its files include each other by their bare names.
BARE = "recorder"

_LINKING = r"\b(?:flaky_library|target_link_libraries|target_sources)\s*\(([^()]*)\)"
SUFFIXES = (".h", ".cc", ".hpp", ".cpp", ".cxx", ".inc", ".ipp")


@functools.cache
def includes_of(source):
    return tuple(texts.cpp_includes(source))


def room_of(path):
    """The room of a file or None; for the code of a store its own folder."""
    folder = str(pathlib.PurePosixPath(path).parent)
    if folder in ARROWS:
        return folder
    parent, _, kind = folder.rpartition("/")
    return folder if parent == "stores" and kind != "schema" else None


def module_of(path):
    return str(pathlib.PurePosixPath(path).with_suffix(""))


def may_include(path, to_room):
    """True if the table lets a file include files of a room."""
    room = room_of(path)
    if to_room == room or (path == DRIVER_TABLE and to_room.startswith("stores/")):
        return True
    return to_room in ARROWS[room if room in ARROWS else KIND]


def reachable(edges, start):
    """The nodes that one or more steps lead to."""
    seen, waiting = set(), [start]
    while waiting:
        for target in edges.get(waiting.pop(), ()):
            if target not in seen:
                seen.add(target)
                waiting.append(target)
    return seen


def cycles(edges):
    """A shortest cycle through the first node of each group of nodes that reach each other, as [a, b, …, a]."""
    reached = {node: reachable(edges, node) for node in edges}
    done = set()
    for start in sorted(edges):
        if start in done or start not in reached[start]:
            continue
        done |= {node for node in reached[start] if start in reached.get(node, ())}
        previous, waiting = {}, collections.deque([start])
        while start not in previous:
            node = waiting.popleft()
            for target in sorted(edges.get(node, ())):
                if target not in previous:
                    previous[target] = node
                    waiting.append(target)
        cycle = [previous[start], start]
        while cycle[0] != start:
            cycle.insert(0, previous[cycle[0]])
        yield cycle


class Check:
    def __init__(self, root):
        self.root = pathlib.Path(root)
        tracked = texts.files_of(root)
        self.files = {path for path in tracked if path.endswith(SUFFIXES)}
        self.lists = [path for path in tracked if path.endswith("CMakeLists.txt") and path.split("/")[0] in ARROWS]
        self.findings = []
        self.includes = collections.defaultdict(dict)  # file → included file → line

    def found(self, path, line, what):
        self.findings.append((path, line, what))

    def run(self):
        if not any(room_of(path) for path in self.files):
            self.found(str(self.root), 1, "there are no rooms in this folder")
        self.check_table()
        self.read_includes()
        self.check_cycles()
        self.check_links()
        return [f"{path}:{line}: {what}" for path, line, what in sorted(self.findings)]

    def check_table(self):
        for cycle in cycles({room: set(targets) for room, targets in ARROWS.items()}):
            self.found("tests/house/include_arrows.py", 1, f"the table has a cycle of rooms: {' → '.join(cycle)}")

    def read_includes(self):
        for path in sorted(self.files):
            top = path.split("/")[0]
            if top in FREE:
                continue
            if room_of(path) is None:
                self.found(path, 1, f"{pathlib.PurePosixPath(path).parent}/ is not a room of the table")
                continue
            source = (self.root / path).read_text(encoding="utf-8", errors="replace")
            for line, name, quoted in includes_of(source):
                self.read_include(path, line, name, quoted)

    def read_include(self, path, line, name, quoted):
        folder = pathlib.PurePosixPath(path).parent
        sibling = str(folder / name)
        if room_of(path) == BARE and sibling in self.files and "/" not in name:
            self.includes[path].setdefault(sibling, line)
            return
        if name not in self.files:
            if quoted or name.split("/")[0] in ARROWS:
                near = (self.root / folder / name).is_file()
                advice = f"; write it from the root: {sibling}" if near and "/" not in name else ""
                self.found(path, line, f'"{name}" is not a file of this tree{advice}')
            return
        if path == SHARED_BY and name in SHARED:
            return
        self.includes[path].setdefault(name, line)
        to_room = room_of(name)
        if to_room is None:
            self.found(path, line, f"{room_of(path)} may not include {name.split('/')[0]} (\"{name}\")")
        elif not may_include(path, to_room):
            self.found(path, line, f'{room_of(path)} may not include {to_room} ("{name}")')

    def check_cycles(self):
        files = {path: set(targets) for path, targets in self.includes.items()}
        for cycle in cycles(files):
            self.found(cycle[0], self.includes[cycle[0]][cycle[1]], f"a cycle of files: {' → '.join(cycle)}")

        # A cycle of files makes one of modules, which is not worth a second finding.
        reached = {path: reachable(files, path) for path in files}
        modules, evidence = collections.defaultdict(set), {}
        for path, targets in sorted(self.includes.items()):
            for target, line in sorted(targets.items()):
                step = (module_of(path), module_of(target))
                if step[0] != step[1] and path not in reached.get(target, ()):
                    modules[step[0]].add(step[1])
                    evidence.setdefault(step, (path, line, target))
        for cycle in cycles(modules):
            steps = [evidence[step] for step in zip(cycle, cycle[1:])]
            shown = ", ".join(f"{path}:{line} includes {target}" for path, line, target in steps)
            self.found(steps[0][0], steps[0][1], f"a cycle of modules: {' → '.join(cycle)} ({shown})")

    def check_links(self):
        """The link lines of CMake have only the table's arrows, and an arrow for each room that is included."""
        links = {}
        for path in self.lists:
            room = path.split("/")[0]
            allowed = {target.split("/")[0] for key, targets in ARROWS.items() if key.split("/")[0] == room
                       for target in targets} - {room}
            source = re.sub(r"#[^\n]*", "", (self.root / path).read_text(encoding="utf-8"))
            for command in re.finditer(_LINKING, source):
                words = list(re.finditer(r"\S+", command[1]))
                if not words or words[0][0].removeprefix("flaky_") != room:
                    continue
                links.setdefault(room, set())
                for word in words:
                    line = source.count("\n", 0, command.start(1) + word.start()) + 1
                    if word[0].startswith("../"):
                        self.found(path, line, f"{room} compiles a file of another room ({word[0]})")
                    if word[0].startswith("flaky::"):
                        target = word[0].removeprefix("flaky::")
                        links[room].add(target)
                        if target not in allowed:
                            self.found(path, line, f"{room} may not link {target} ({word[0]})")
        missing = set()
        for path, targets in sorted(self.includes.items()):
            room = path.split("/")[0]
            for target, line in sorted(targets.items()):
                to_room = target.split("/")[0]
                if room not in links or to_room in {room, *reachable(links, room)} or (room, to_room) in missing:
                    continue
                if may_include(path, room_of(target) or to_room):
                    missing.add((room, to_room))
                    self.found(path, line, f"{room} includes {to_room} but does not link it (flaky::{to_room})")


def findings_in(root):
    return Check(root).run()


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", default=".", help="the folder of the source tree")
    findings = findings_in(parser.parse_args(arguments).root)
    print("\n".join(findings or ["every include follows the arrows"]))
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
