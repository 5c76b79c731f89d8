# SPDX-License-Identifier: MIT
"""The counter of idioms counts what it should, and nothing else."""

import contextlib
import io
import pathlib
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
import idioms  # pylint: disable=wrong-import-position
import texts  # pylint: disable=wrong-import-position


def found(path, source):
    """(kind, line, idiom) of each idiom in a file."""
    return sorted((text.kind, line, idiom.name) for text in texts.texts_of(path, source)
                  for line, idiom, _ in idioms.idioms_in(text))


class Idioms(unittest.TestCase):
    def test_each_example_counts_and_its_plain_form_does_not(self):
        for idiom in idioms.IDIOMS:
            with self.subTest(idiom.name):
                names = [name for _, _, name in found("cli/a.cc", f"// {idiom.example}\n")]
                self.assertIn(idiom.name, names)
                self.assertEqual(found("cli/a.cc", f"// {idiom.plain}\n"), [])

    def test_plain_english_does_not_count(self):
        for sentence in [
            "The folder where the journals are.", "Shows where it comes from.",
            "Every setting and where it comes from.",
            "Runs behind a proxy.", "It lags behind the primary.", "Leaves nothing behind.",
            "The server behind pgbouncer.",
            "There is no such run.", "It is no longer there.", "This is no more than a name.",
            "The others are read later.",
            "Besides, it ends.", "See the table below.", "Underwear belies it.", "Nobody@example.org",
            "A stand-in for it.", "They can be told apart.",
            "SELECT id WHERE a.id = 1", "select x where a = 1", "select x where no.id = 2",
        ]:
            with self.subTest(sentence):
                self.assertEqual(found("cli/a.cc", f"// {sentence}\n"), [])

    def test_words_of_idioms_in_any_case_and_form(self):
        for sentence, name in [
            ("It fails, and where there is none it waits.", "where (if)"),
            ("Where one is missing, it waits.", "where (if)"),
            ("Creates the store where it is missing.", "where (if)"), ("`x` is no `y`.", "is no X"),
            ("Runs below CTest.", "below ctest"),
            ("Runs below `ctest`.", "below ctest"), ("NOBODY knows.", "nobody"),
            ("It was written by others.", "others"),
            ("Has files of their own.", "of its own"), ("A history is wanted.", "wanted is"),
            ("A line behind the tests.", "behind"),
        ]:
            with self.subTest(sentence):
                self.assertIn(name, [name for _, _, name in found("cli/a.cc", f"// {sentence}\n")])

    def test_gives_counts_where_a_comment_begins(self):
        self.assertEqual(found("cli/a.h", "// It gives a name.\n// The user Gives one.\n"), [])
        self.assertEqual(found("cli/a.h", "// The name.\n// Gives it.\n"), [("headers", 2, "Gives")])
        self.assertEqual(found("cli/a.h", "// The name\n//\n// Gives it\n"), [("headers", 3, "Gives")])
        self.assertEqual(found("cli/a.cc", 'Say("Gives a name");'), [])


class Kinds(unittest.TestCase):
    def kind(self, path, source):
        kinds = {kind for kind, _, _ in found(path, source)}
        self.assertLessEqual(len(kinds), 1)
        return kinds.pop() if kinds else None

    def test_of_texts(self):
        comment, literal = "// nobody\n", 'F("is nobody");\n'
        for path, source, kind in [
            ("cli/a.cc", literal, "user-visible"), ("cli/a.cc", comment, "comments"),
            ("cli/a.h", comment, "headers"),
            ("cli/a.h", literal, "user-visible"), ("cli/a.cc", "nobody();\n", None),
            ("cli/a.cc", 'F("nobody");\n', None),
            ("cli/a.cc", '#include "nobody"\n', None),
            ("tests/a.cc", literal, "comments"), ("tests/a.h", comment, "comments"),
            ("bench/a.cc", literal, "comments"),
            ("examples/a.cc", comment, "user-visible"), ("README.md", "nobody\n", "user-visible"),
            ("docs/adr/1.md", "nobody\n", "user-visible"), ("bench/README.md", "nobody\n", "user-visible"),
            (".env.example", "# nobody\n", "user-visible"),
            (".github/workflows/ci.yml", "name: nobody\n", "user-visible"),
            ("tests/x/1.sql", "-- nobody\n", "comments"),
            ("tests/x/1.sql", "raise 'is nobody';", "comments"),
            ("tests/x/1.sql", "select nobody;", None), ("cmake/a.cmake", "# nobody\n", "comments"),
            ("CMakeLists.txt", 'option(A "is nobody")\n', "user-visible"), ("CMakeLists.txt", "add(nobody)\n", None),
            ("dev", "#!/usr/bin/env bash\n# nobody\n", "comments"),
            ("dev", "#!/usr/bin/env bash\nsay 'is nobody'\n", "user-visible"),
            ("dev", "#!/usr/bin/env bash\ncat <<'HELP'\nis nobody\nHELP\n", "user-visible"),
            ("dev", "#!/usr/bin/env bash\nnobody ${#nobody} $#nobody\n", None),
            ("bench/a.py", "# nobody\n", "comments"), ("bench/a.py", '"""is nobody"""\n', "comments"),
            ("bench/a.py", "nobody()\n", None),
            ("tests/house/a.py", "a = 'nobody'\n", None), ("tests/house/a.py", '"""is nobody"""\n', "comments"),
            ("tests/p/meson.build", "# nobody\n", "comments"), ("a.json", '{"nobody": 1}', None),
        ]:
            with self.subTest(path=path, source=source):
                self.assertEqual(self.kind(path, source), kind)

    def test_names_of_tests_are_read_as_words(self):
        self.assertEqual(found("tests/a_test.cc", "\nTEST_F(SpoolTest, WaitsWhereThereIsNone) {"),
                         [("comments", 2, "is none"), ("comments", 2, "where (if)")])
        self.assertEqual(found("tests/a_test.cc", "// TEST(A, IsNoB)\n"), [])


class Cpp(unittest.TestCase):
    def test_an_idiom_that_is_broken_over_lines(self):
        self.assertEqual(found("cli/a.h", "int a;\n\n// It ends, and it waits where\n// there is a store.\nint b;\n"),
                         [("headers", 3, "where (if)")])
        self.assertEqual(found("cli/a.h", "int a;  // waits where\n        // it is\n"), [("headers", 1, "where (if)")])
        self.assertEqual(found("cli/a.h", "int a;  // waits where\nint b;  // it is\n"), [])
        self.assertEqual(found("cli/a.h", "/* waits where\n * it is */\n"), [("headers", 1, "where (if)")])
        self.assertEqual(found("cli/a.cc", 'F("waits where"\n  // why\n  " it is");\n'),
                         [("user-visible", 1, "where (if)")])
        self.assertEqual(found("cli/a.cc", 'F("waits where\\n"\n  "it is");\n'), [("user-visible", 1, "where (if)")])
        self.assertEqual(found("cli/a.cc", 'F("waits where", " it is");\n'), [])

    def test_a_message_with_values(self):
        self.assertEqual(found("cli/a.cc", 'Fail(name + " is no " + kind);'), [("user-visible", 1, "is no X")])
        self.assertEqual(found("cli/a.cc", 'Fail("it is " + why + "behind" + it);'), [("user-visible", 1, "behind")])
        self.assertEqual(found("cli/a.cc", 'a << "is"\n  << x\n  << " no store";\n'), [])

    def test_a_literal_is_not_a_comment(self):
        self.assertEqual(found("cli/a.cc", 'F("a http://nobody");  // "a"\n'), [("user-visible", 1, "nobody")])
        self.assertEqual(found("cli/a.cc", "char a = '\"'; // nobody \"\n"), [("comments", 1, "nobody")])
        self.assertEqual(found("cli/a.cc", 'F("\\" // nobody");\n'), [("user-visible", 1, "nobody")])
        self.assertEqual(found("cli/a.cc", 'F(R"(a\n" // nobody)", 1\'000); // anew\n'),
                         [("comments", 2, "anew"), ("user-visible", 2, "nobody")])
        self.assertEqual(found("cli/a.cc", 'F(R"x(a)" nobody)x");\n'), [("user-visible", 1, "nobody")])


class Markdown(unittest.TestCase):
    def test_prose_without_code_and_addresses(self):
        self.assertEqual(found("docs/a.md", "[A](nobody.md) `nobody =` text\n"), [])
        self.assertEqual(found("docs/a.md", "waits where\nit is\n"), [("user-visible", 1, "where (if)")])
        self.assertEqual(found("docs/a.md", "waits where\n\nit is\n"), [])
        self.assertEqual(found("docs/a.md", "## Where the history is\n"), [])

    def test_fences(self):
        self.assertEqual(found("docs/a.md", "a\n\n```\n$ flaky\nnobody\n```\n"), [("user-visible", 5, "nobody")])
        self.assertEqual(found("docs/a.md", "```sql\nselect nobody;\n-- anew\n```\n"), [("user-visible", 3, "anew")])
        self.assertEqual(found("docs/a.md", "```cpp\nnobody();\n```\nanew\n"), [("user-visible", 4, "anew")])


class Program(unittest.TestCase):
    def run_on(self, files, *arguments):
        with tempfile.TemporaryDirectory() as folder:
            for path, source in files.items():
                (pathlib.Path(folder) / path).parent.mkdir(parents=True, exist_ok=True)
                (pathlib.Path(folder) / path).write_text(source, encoding="utf-8")
            out = io.StringIO()
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
                code = idioms.main(["--root", folder, *arguments])
            return code, out.getvalue()

    def test_one_in_a_text_for_users_is_too_many(self):
        code, out = self.run_on({"README.md": "\nNobody.\n"}, "--list")
        self.assertEqual(code, 1)
        self.assertIn("README.md:2: [nobody] Nobody.", out)
        self.assertIn("     1 user-visible", out)

    def test_a_few_in_comments_are_allowed(self):
        self.assertEqual(self.run_on({"cli/a.cc": "// nobody\n" * 5})[0], 0)
        self.assertEqual(self.run_on({"cli/a.cc": "// nobody\n" * 5, "cli/a.h": "// nobody\n"})[0], 1)

    def test_paths_restrict_it(self):
        files = {"README.md": "nobody", "cli/a.cc": "int a;"}
        self.assertEqual(self.run_on(files, "cli")[0], 0)
        self.assertEqual(self.run_on(files, "cli", "README.md")[0], 1)


if __name__ == "__main__":
    unittest.main()
