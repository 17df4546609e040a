"""The house rules hold on the tree, and each of them fires on a tree that breaks it."""

import importlib.util
import pathlib
import shutil
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
_spec = importlib.util.spec_from_file_location("house_rules", ROOT / "tools" / "house_rules.py")
house = importlib.util.module_from_spec(_spec)
import sys  # noqa: E402  (dataclasses look their module up)

sys.modules["house_rules"] = house
_spec.loader.exec_module(house)

HEADER = "// What this header holds, in a sentence.\n#pragma once\n"


@pytest.fixture
def tree(tmp_path):
    """tree({path: text}) makes a repository and returns the rules that fire on it."""
    def make(files, ratchet=""):
        subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        (tmp_path / "tools").mkdir(exist_ok=True)
        (tmp_path / "tools" / "house_rules_ratchet.txt").write_text(ratchet, encoding="utf-8")
        return [f.rule for f in house.check(tmp_path)]
    return make


@pytest.mark.parametrize("rule", house.RULES, ids=lambda r: r.__name__)
def test_the_tree_keeps(rule):
    findings = house.check(ROOT, [rule])
    assert not findings, "\n" + "\n".join(map(str, findings))


def test_no_debt_is_larger_than_needed():
    assert not [str(f) for f in house.check(ROOT) if f.rule == "ratchet"]


@pytest.mark.skipif(not shutil.which("/usr/bin/clang-format-19"), reason="no clang-format-19")
def test_the_tree_is_formatted():
    listed = subprocess.run(["git", "ls-files", "*.cc", "*.h"], cwd=ROOT, check=True, text=True,
                            stdout=subprocess.PIPE).stdout.split()
    files = [f for f in listed if (ROOT / f).exists()]
    done = subprocess.run(["/usr/bin/clang-format-19", "--dry-run", "-Werror", *files], cwd=ROOT,
                          text=True, stderr=subprocess.PIPE, check=False)
    wrong = sorted({x.split(":")[0] for x in done.stderr.splitlines() if "error:" in x})
    assert not wrong, "make format fixes: " + " ".join(wrong)


@pytest.mark.parametrize("path, text, rule", [
    ("src/core/a.cc", '#include "pipeline/ledger.h"\n', "layers"),
    ("src/core/a.cc", '{.path = "sink", .words = "kafka|console"}\n', "choice"),
    ("src/core/a.cc", 'if (settings.word("sink") == "kafka") go();\n', "choice"),
    ("src/base/a.cc", '#include "core/sink.h"\n', "layers"),
    ("src/postgres/a.cc", '#include "format/native.h"\n', "layers"),
    ("src/sink/a.cc", '#include "server/http.h"\n', "layers"),
    ("src/http/a.cc", '#include "server/options.h"\n', "layers"),
    ("src/http/a.cc", '#include "core/sink.h"\n', "layers"),
    ("src/server/a.cc", "#include <boost/asio/io_context.hpp>\n", "layers"),
    ("src/cli/a.cc", "#include <curl/curl.h>\n", "layers"),
    ("src/server/a.cc", "#include <nlohmann/json.hpp>\n", "layers"),
    ("src/pipeline/a.cc", "#include <libpq-fe.h>\n", "layers"),
    ("src/postgres/a.cc", "#include <libpq-fe.h>\n", "layers"),
    ("src/pipeline/a.cc", "#include <librdkafka/rdkafka.h>\n", "layers"),
    ("src/pgclient/a.cc", '#include "postgres/options.h"\n', "layers"),
    ("src/pgclient/a.cc", '#include "core/relation.h"\n', "layers"),
    ("src/kafka/a.cc", '#include "core/record.h"\n', "layers"),
    ("src/kafka/a.cc", '#include "sink/kafka/config.h"\n', "layers"),
    ("src/pipeline/a.cc", '#include "kafka/client.h"\n', "layers"),
    ("src/core/a.cc", "#include <yaml-cpp/yaml.h>\n", "layers"),
    ("src/postgres/snapshot/a.cc", '#include "postgres/stream/feedback.h"\n', "folders"),
    ("src/postgres/stream/a.cc", '#include "postgres/snapshot/snapshot.h"\n', "folders"),
    ("src/postgres/stream/a_test.cc", '#include "postgres/source/postgres_source.h"\n', "folders"),
    ("src/sink/console/a.cc", '#include "sink/kafka/sink.h"\n', "folders"),
    ("src/sink/a.cc", '#include "sink/kafka/sink.h"\n', "folders"),
    ("src/format/json/a.cc", '#include "format/native/row.h"\n', "folders"),
    ("src/format/a.cc", '#include "kafka/client.h"\n', "layers"),
    ("src/sink/kafka/admin/a.cc", "int a;\n", "folders"),
    ("src/base/posix/a.cc", "int a;\n", "folders"),
    ("src/core/a.cc", '#include "lsn.h"\n', "include-path"),
    ("src/stuff/a.cc", "int a;\n", "unknown-room"),
    ("src/core/a.h", HEADER, "unused"),
    ("src/core/a.cc", "void f(char* a, char* b) { strcpy(a, b); }\n", "unsafe-string"),
    ("src/core/a.cc", "void f(char* a) { sprintf(a, \"x\"); }\n", "unsafe-string"),
    ("src/core/a.cc", "int f() { return std::rand(); }\n", "std-rand"),
    ("src/pipeline/a.cc", "void f() { std::this_thread::sleep_for(x); }\n", "sleep"),
    ("src/core/a.cc", "auto f() { return std::chrono::system_clock::now(); }\n", "clock"),
    ("src/pipeline/a.cc", "auto f() { return std::chrono::steady_clock::now(); }\n", "clock"),
    ("src/sink/a.cc", "auto f() { return getenv(\"A\"); }\n", "getenv"),
    ("src/config/a.cc", "auto f() { return getenv(\"A\"); }\n", "getenv"),
    ("src/config/a.cc", "void f() { ::unsetenv(\"A\"); }\n", "setenv"),
    ("src/cli/main.cc", "void f() { putenv(a); }\n", "setenv"),
    ("src/cli/a.cc", "auto f() { return read_environment(); }\n", "environment"),
    ("src/pgclient/a.cc", "void f() { remove_from_environment(names); }\n", "environment"),
    ("src/core/a.cc", "using namespace std;\n", "using-namespace-std"),
    ("src/core/a.cc", "std::regex pattern;\n", "std-regex"),
    ("src/core/a.cc", "void f() { out << std::endl; }\n", "std-endl"),
    ("src/core/a.cc", "void f() { printf(\"x\"); }\n", "printf"),
    ("src/core/a.cc", "void f() { std::exit(1); }\n", "exit"),
    ("src/core/a.cc", "// TO" "DO: later\n", "unfinished"),
    ("src/core/a.cc", "int a;\n" * 501, "file-size"),
    ("src/core/a.h", HEADER + "int a;\n" * 400, "file-size"),
    ("src/core/a.cc", "void f() {\n" + "    g();\n" * 60 + "}\n", "function-size"),
    ("src/core/a.cc", "class A {\n    int f(int a) const {\n" + "        g();\n" * 60
     + "    }\n};\n", "function-size"),
    ("src/core/a.h", "#pragma once\nint a;\n", "header-comment"),
    ("src/core/utils/a.cc", "int a;\n", "vague-folder"),
    ("docs/a.md", "mirror: deb.debian" ".org\n", "machine"),
    ("docs/a.md", "index: pypi" ".org\n", "machine"),
    ("docs/a.md", "see /ho" "me/alice/x\n", "machine"),
    ("Makefile", "all:\n\tcp x /ro" "ot/y\n", "machine"),
    ("src/core/a.cc", 'void f() { e.hint = "SELECT pg_drop_replication_slot(" + slot + ");"; }\n',
     "costly-hint"),
    ("src/core/a.cc", 'void f() { g("drop the "\n  "slot; then start over"); h("lost"); }\n',
     "costly-hint"),
    ("src/core/a.cc", 'void f() { return "or pg-capture position reset --yes"; }\n',
     "costly-hint"),
    ("src/core/a.cc", "void f() { e.mend = 1; }\n", "plain-words"),
    ("src/core/a.cc", "int mended_by = 1;\n", "plain-words"),
    ("src/core/a.cc", 'auto a = "orders is no table";\n', "plain-words"),
    ("src/core/a.cc", 'auto a = "the id is none";\n', "plain-words"),
    ("src/core/a.cc", "// Whatever commits behind the slot is read.\n", "plain-words"),
    ("src/core/a.cc", "// The reader is told again.\n", "plain-words"),
    ("src/core/a.cc", "// What a batch comes to.\n// It comes to nothing.\n", "plain-words"),
    ("src/core/a.cc", "struct World {};\n", "plain-words"),
    ("src/core/a.cc", "int octets = 1;\n", "plain-words"),
    ("tests/cli/test_a.py", "def test_an_end_is_told_to_all():\n    pass\n", "plain-words"),
    ("tests/support/a.h", "// A twin of the sink, made anew.\n", "plain-words"),
    ("bench/run", "# What each tells.\n", "plain-words"),
    ("tools/a.sh", "# To mend it.\n", "plain-words"),
    ("src/core/a.cc", "void tell_waiting();\n", "plain-words"),
    ("src/core/a.cc", "class SnapshotDesk {};\n", "plain-words"),
    ("src/core/a.cc", "class PlayedServer {};\n", "plain-words"),
    ("src/core/a.cc", "void f() { source.tend(); }\n", "plain-words"),
    ("docs/a.md", "How a snapshot gets on.\n", "plain-words"),
    ("README.md", "All tables are read anew.\n", "plain-words"),
])
def test_fires(tree, path, text, rule):
    assert rule in tree({path: text})


@pytest.mark.parametrize("path, text", [
    ("src/server/a.cc", '#include "pipeline/state.h"\n#include "base/lsn.h"\n'),
    ("src/pgclient/a.cc", '#include <libpq-fe.h>\n#include "config/settings.h"\n'),
    ("src/postgres/a.cc", '#include "pgclient/link.h"\n#include "core/relation.h"\n'),
    ("src/sink/a.cc", '#include <librdkafka/rdkafka.h>\n#include "kafka/client.h"\n'),
    ("src/postgres/source/a.cc", '#include "postgres/snapshot/snapshot.h"\n'
                                 '#include "postgres/stream/feedback.h"\n'
                                 '#include "postgres/source/b.h"\n#include "postgres/options.h"\n'),
    ("src/sink/kafka/a.cc", '#include "sink/lane_positions.h"\n#include "kafka/client.h"\n'),
    ("src/server/a.cc", '#include "http/router.h"\n#include "observe/log.h"\n'),
    ("src/format/a.cc", '#include "http/client.h"\n#include "core/format.h"\n'),
    ("src/server/a_test.cc", "#include <nlohmann/json.hpp>\n"),
    ("src/pipeline/a_test.cc", '#include "support/fake_sink.h"\n'),
    ("src/base/a.cc", "auto f() { return std::chrono::steady_clock::now(); }\n"),
    ("src/config/environment.cc", "void f() { ::unsetenv(\"A\"); }\n"),
    ("src/cli/main.cc", "int main() { remove_from_environment(libpq_variables()); }\n"),
    ("src/config/a_test.cc", "void f() { ::setenv(\"A\", \"b\", 1); read_environment(); }\n"),
    ("src/core/a.cc", "// printf( and std::endl in a comment, \"getenv(\" in a string\n"
                      "const char* text = \"strcpy(a, b); std::endl\";\n"),
    ("src/core/a.cc", "void f() { sink.exit(1); on_exit(2); }\n"),
    ("src/core/a.cc", "void f() {\n" + "    g();\n" * 58 + "}\n"),
    ("src/core/a.cc", "void f() {\n" + "    g();\n" * 40 + "}\nvoid h() {\n" + "    g();\n" * 40
     + "}\n"),
    ("src/core/a.cc", "const int table[] = {\n" + "    1,\n" * 100 + "};\n"),
    ("src/cli/a.cc", "void f() { std::exit(2); }\n"),
    ("src/core/a.cc", 'void f() { e.hint = "drop the slot; what it "\n  "holds is lost"; }\n'),
    ("src/core/a.cc", 'void f() { log("the server may drop the slot"); }\n'),
    ("src/core/a.cc", 'auto q = "/* pg-capture: x */ SELECT pg_drop_replication_slot({})";\n'),
    ("src/core/a.cc", "// There is no table; how far behind the slot is; recommended; amend; intend; replayed_rows.\n"),
    ("CHANGELOG.md", "- `mend` is `hint` now.\n"),
    ("src/core/a.cc", "// Tables that come to be captured; what comes to us; where it came to rest.\n"),
    ("tests/fuzz/corpus/text", "told anew\n"),
])
def test_stays_silent(tree, path, text):
    assert tree({path: text}) == []


@pytest.mark.parametrize("folders", [
    {"a": {"b"}, "b": {"a"}},            # a circle
    {"a": {"b"}, "b": set()},            # the lower one stands after
    {"a": {"a"}},
    {"a": {"gone"}},
])
def test_the_folders_of_a_room_have_an_order(tree, monkeypatch, folders):
    monkeypatch.setitem(house.FOLDERS, "postgres", {"": set(), **folders})
    assert tree({}) == ["folders"]


def test_a_used_header_is_fine(tree):
    assert tree({"src/core/a.h": HEADER, "src/sink/b.cc": '#include "core/a.h"\n'}) == []
    assert tree({"src/core/a.h": HEADER}) == []


def test_a_header_used_by_its_own_pair_only_is_unused(tree):
    assert tree({"src/core/a.h": HEADER, "src/core/a.cc": '#include "core/a.h"\n',
                 "src/core/a_test.cc": '#include "core/a.h"\n'}) == ["unused"]


def test_the_ratchet_forgives_old_debt_but_no_growth(tree):
    assert tree({"src/core/a.cc": "int a;\n" * 800}, "file-size src/core/a.cc 800\n") == []
    assert tree({"src/core/a.cc": "int a;\n" * 801}, "file-size src/core/a.cc 800\n") == ["file-size"]


def test_the_ratchet_must_follow_down(tree):
    assert tree({"src/core/a.cc": "int a;\n" * 750}, "file-size src/core/a.cc 800\n") == ["ratchet"]
    assert tree({"src/core/a.cc": "int a;\n"}, "file-size src/core/a.cc 800\n") == ["ratchet"]


def test_update_only_lowers(tmp_path, tree):
    tree({"src/core/a.cc": "int a;\n" * 750, "src/core/b.cc": "int a;\n" * 900},
         "file-size src/core/a.cc 800\n")
    snapshot = house.Tree(tmp_path)
    findings = [f for rule in house.RULES for f in rule(snapshot)]
    house.update_ratchet(tmp_path, findings, house.read_ratchet(tmp_path))
    assert house.read_ratchet(tmp_path) == {("file-size", "src/core/a.cc"): 750}
