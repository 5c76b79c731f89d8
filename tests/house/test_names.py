# SPDX-License-Identifier: MIT
"""Checks that the names of tests are short enough for ctest's output: a line adds some 47 columns to the longest name.

usage: test_names.py CTEST BUILD_FOLDER
"""

import json
import subprocess
import sys

LONGEST = 72


def main():
    ctest, folder = sys.argv[1:]
    shown = subprocess.run([ctest, "--show-only=json-v1"], cwd=folder, check=True, stdout=subprocess.PIPE).stdout
    names = [test["name"] for test in json.loads(shown)["tests"]]
    too_long = sorted(name for name in names if len(name) > LONGEST)
    for name in too_long:
        print(f"{len(name)} characters: {name}")
    print(f"{len(too_long)} of {len(names)} names of tests are longer than {LONGEST} characters")
    return 1 if too_long or not names else 0


if __name__ == "__main__":
    sys.exit(main())
