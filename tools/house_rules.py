"""The rules of the house, read off the tree. `make lint` and `make test` run this.

    tools/house_rules.py [--update-ratchet] [ROOT]

Prints one finding a line, `path:line: rule: what`, and exits 1 if there is any. Old debts
stand in tools/house_rules_ratchet.txt as `rule key value`; they may only shrink:
--update-ratchet lowers or removes lines, it never adds one.
"""

import argparse
import dataclasses
import pathlib
import re
import subprocess
import sys

# A room and what it may include besides itself; docs/ARCHITECTURE.md says why.
CORE = {"base", "core", "config", "observe"}
ROOMS = {
    "base": set(),
    "observe": {"base"},
    "config": {"base"},
    "core": {"base"},
    "http": {"base", "observe", "config"},
    "pgclient": {"base", "config", "observe"},
    "kafka": {"base", "config", "observe"},
    "postgres": CORE | {"pgclient"},
    "transform": CORE,
    "format": CORE | {"http"},
    "sink": CORE | {"kafka", "pgclient"},
    "pipeline": CORE,
    "apply": CORE | {"kafka", "pgclient"},
    "server": CORE | {"pipeline", "http"},
    "cli": CORE | {"pgclient", "kafka", "postgres", "transform", "format", "sink", "pipeline", "apply", "server",
                   "http"},
}
# A room's folders, lowest first, and what of their room each may include besides itself; "" is what
# lies in the room itself. A room that is not here has no folders.
FOLDERS = {
    "format": {
        "": set(),
        "json": {""},
        "registry": {"", "json"},
        "text": {"", "json"},
        "connect": {"", "json"},
        "encoding": {"", "json", "connect"},
        "heads": {"", "connect", "encoding", "registry"},
        "native": {"", "json"},
        "csv": {"", "json", "text", "native"},
        "debezium": {"", "json", "text", "connect", "encoding", "heads"},
        "flat": {"", "json", "connect", "encoding", "heads", "debezium"},
    },
    "postgres": {
        "": set(),
        "types": set(),
        "pgoutput": set(),
        "catalog": {"types"},
        "setup": {"", "types", "catalog"},
        "relations": {"types", "pgoutput", "catalog"},
        "stream": {"", "pgoutput", "catalog", "setup", "relations"},
        "snapshot": {"", "types", "pgoutput", "catalog", "setup", "relations"},
        "source": {"", "types", "pgoutput", "catalog", "setup", "relations", "stream", "snapshot"},
        "slots": {"", "setup", "stream"},
        "check": {"", "setup"},
    },
    "sink": {
        "": set(),
        "console": {""},
        "discard": {""},
        "kafka": {""},
        "file_registry": {""},
        "file": {"", "file_registry"},
    },
}
# Libraries that only their room may know: header prefix -> rooms.
LIBRARIES = {
    "libpq-fe.h": {"pgclient"},
    "libpq-events.h": {"pgclient"},
    "librdkafka/": {"kafka", "sink"},
    "yaml-cpp/": {"config"},
    "toml++/": {"config"},
    "nlohmann/": {"observe"},
    "boost/": {"http"},
    "curl/": {"http"},
    "isa-l/": {"sink"},
    "zlib.h": {"sink"},
    "zstd.h": {"sink"},
}

# rule name, pattern over code without comments and strings, rooms and files where it is allowed.
BANNED = [
    ("unsafe-string", r"\b(?:strcpy|strcat|sprintf|vsprintf|gets)\s*\(", set()),
    ("std-rand", r"\bstd::rand\b|\bsrand\s*\(|\brandom_device\b", {"base"}),
    ("sleep", r"\bsleep_for\b|\bsleep_until\b|\bu?sleep\s*\(|\bnanosleep\s*\(", {"base", "cli"}),
    ("clock", r"\b(?:system_clock|steady_clock|high_resolution_clock)\b|\bclock_gettime\s*\("
              r"|\bgettimeofday\s*\(|\b(?:std::)?time\s*\(\s*(?:nullptr|NULL|0)\s*\)", {"base"}),
    ("getenv", r"\b(?:secure_)?getenv\s*\(|\benviron\b", {"src/config/environment.cc"}),
    # Libraries read the environment on any thread: it is changed before there are any, or never.
    ("setenv", r"\b(?:(?:un)?setenv|putenv|clearenv)\s*\(", {"src/config/environment.cc"}),
    ("environment", r"\b(?:read|remove_from)_environment\s*\(",
     {"src/config/environment.cc", "src/config/environment.h", "src/cli/main.cc"}),
    ("using-namespace-std", r"\busing\s+namespace\s+std\s*;", set()),
    ("std-regex", r"\bstd::w?regex\b|#include <regex>", set()),
    ("std-endl", r"\bstd::endl\b", set()),
    ("printf", r"\b(?:v?f?printf|v?s?nprintf|vsnprintf)\s*\(", {"cli"}),
    ("exit", r"(?<![\w.>])(?:std::|::)?_?(?:exit|quick_exit|_Exit)\s*\(", {"cli"}),
]
UNFINISHED = re.compile(r"\b(?:TODO|FIXME|XXX)\b")

LINES_MAX = 500
HEADER_LINES_MAX = 400
FUNCTION_LINES_MAX = 60
VAGUE_FOLDERS = {"utils", "util", "common", "helpers", "misc"}

# Put together from halves, so that this file does not name what it forbids.
HOSTS = re.compile("|".join(a + r"\." + b for a, b in [
    (r"(?:deb|ftp|security|snapshot|archive)\.debian", "org"), ("repo1?(?:\\.maven)?", "maven\\.org"),
    (r"repo\.maven\.apache", "org"), ("pypi", "org"), ("pythonhosted", "org"),
    (r"registry\.npmjs", "org"), (r"proxy\.golang", "org"), ("crates", "io"),
    ("docker", "io/library")]))
MACHINE_PATHS = re.compile(r"(?<![\w.$}/])/(?:root|home/[a-z]\w*|Users/\w+|work)/\w")

INCLUDE = re.compile(r'^\s*#\s*include\s+(?:"([^"]+)"|<([^>]+)>)')


@dataclasses.dataclass(frozen=True)
class Finding:
    path: str
    line: int
    rule: str
    text: str
    key: str = ""    # what the ratchet knows it by
    value: int = 0   # how large the debt is

    def __str__(self):
        return f"{self.path}:{self.line}: {self.rule}: {self.text}"


def strip_code(text):
    """The text with comments, strings and characters blanked; line ends stay."""
    pattern = re.compile(
        r'//[^\n]*|/\*.*?\*/|R"([^(\s]*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|(?<![0-9a-fA-F])\'(?:\\.|[^\'\\\n])+\'',
        re.DOTALL)

    def blank(match):
        kept = re.sub(r"[^\n]", " ", match.group(0))
        return kept if match.group(0).startswith(("//", "/*")) else '"' + kept[1:]

    return pattern.sub(blank, text)


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


class Tree:
    """The files git knows or would add, read once."""

    def __init__(self, root):
        self.root = root
        listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=root,
                                check=True, stdout=subprocess.PIPE).stdout.decode()
        self.files = {}
        for name in sorted(set(filter(None, listed.split("\0")))):
            path = root / name
            if not path.is_file() or path.is_symlink():
                continue
            raw = path.read_bytes()
            if b"\0" not in raw[:8000]:
                self.files[name] = raw.decode("utf-8", errors="replace")
        self.code = {n: strip_code(t) for n, t in self.files.items()
                     if n.startswith("src/") and n.endswith((".cc", ".h"))}

    def room(self, name):
        return name.split("/")[1]

    def folder(self, name):
        """Where a file lies in its room: "" for the room itself."""
        return "/".join(name.split("/")[2:-1])

    def is_test(self, name):
        return name.endswith("_test.cc")

    def includes(self, name):
        """(line, path, is_quoted) of every include of a file."""
        for number, line in enumerate(self.files[name].splitlines(), 1):
            match = INCLUDE.match(line)
            if match:
                yield number, match.group(1) or match.group(2), match.group(1) is not None


# -- rules: each takes the tree and yields findings ------------------------------------------


def rooms_look_up_only(tree):
    """A room includes only what stands above it."""
    for name in tree.code:
        room = tree.room(name)
        if room not in ROOMS:
            yield Finding(name, 1, "unknown-room", f"src/{room} is not a room of ARCHITECTURE.md")
            continue
        for line, path, quoted in tree.includes(name):
            other = path.split("/")[0]
            if quoted and other == "support" and tree.is_test(name):
                continue
            if quoted and other not in ROOMS:
                yield Finding(name, line, "include-path", f'"{path}" does not start at src/')
            elif quoted and other != room and other not in ROOMS[room]:
                yield Finding(name, line, "layers", f"{room}/ may not include {other}/ ({path})")
            for prefix, rooms in LIBRARIES.items():
                if path.startswith(prefix) and room not in rooms and not tree.is_test(name):
                    yield Finding(name, line, "layers",
                                  f"{path} belongs to {', '.join(sorted(rooms))}/")


def folders_look_down_only(tree):
    """Within a room the folders have an order, and a folder includes what it is declared to."""
    for room, folders in FOLDERS.items():
        below = set()
        for folder, uses in folders.items():
            if not uses <= below:
                yield Finding("tools/house_rules.py", 1, "folders",
                              f"{room}/{folder} is declared above {', '.join(sorted(uses - below))}")
            below.add(folder)
    for name in tree.code:
        room, folder = tree.room(name), tree.folder(name)
        folders = FOLDERS.get(room, {"": set()})
        if folder not in folders:
            yield Finding(name, 1, "folders", f"{room}/{folder} is not among the folders of its room")
            continue
        for line, path, quoted in tree.includes(name):
            other = "/".join(path.split("/")[1:-1])
            if quoted and path.split("/")[0] == room and other not in folders[folder] | {folder}:
                yield Finding(name, line, "folders", f"{room}/{folder} may not include {path}")


def every_header_is_used(tree):
    """Somebody besides its own .cc and test includes it."""
    users = {}
    for name in tree.files:
        if name.endswith((".cc", ".h")) and name.startswith(("src/", "tests/", "bench/")):
            for _, path, quoted in tree.includes(name):
                if quoted:
                    users.setdefault("src/" + path, set()).add(name)
    for name in tree.code:
        if name.endswith(".h"):
            stem = name[:-2]
            own = {f"{stem}.cc", f"{stem}_test.cc", name}
            if not users.get(name, set()) - own:
                yield Finding(name, 1, "unused", "no other file includes this header")


def banned_calls(tree):
    """What the house does another way, see docs/ARCHITECTURE.md and CONTRIBUTING.md."""
    for name, code in tree.code.items():
        for rule, pattern, allowed in BANNED:
            if tree.room(name) in allowed or name in allowed or (
                    tree.is_test(name) and rule in ("clock", "sleep", "setenv", "environment")):
                continue
            for match in re.finditer(pattern, code):
                yield Finding(name, line_of(code, match.start()), rule,
                              f"{match.group(0).strip(' (')} is not used here")


def nothing_unfinished(tree):
    for name, text in tree.files.items():
        if name.startswith(("src/", "tests/", "bench/", "tools/", "cmake/")) and not name.startswith(
                ("tests/house/", "tools/house_rules.py")):
            for match in UNFINISHED.finditer(text):
                yield Finding(name, line_of(text, match.start()), "unfinished",
                              "finish it or write it down elsewhere")


def file_sizes(tree):
    for name in tree.code:
        most = HEADER_LINES_MAX if name.endswith(".h") else LINES_MAX
        lines = tree.files[name].count("\n")
        if lines > most:
            yield Finding(name, 1, "file-size", f"{lines} lines, {most} allowed", name, lines)


def functions(code):
    """(line, name, length) of each function with a body, by matching braces."""
    stack, start = [], 0
    for match in re.finditer(r"[{};]", code):
        at = match.start()
        if match.group(0) == "{":
            head = code[start:at].strip()
            # Macros and labels before the head do not matter; templates and specifiers neither.
            inside = any(kind == "function" for kind, _, _ in stack)
            is_scope = re.search(r"\b(?:namespace|class|struct|union|enum|extern)\b[^()=]*$", head)
            is_function = not inside and not is_scope and re.search(r"\(", head) and not re.search(
                r"=\s*$|\breturn\b", head)
            if is_function:
                found = re.search(r"([~\w:]+|operator\s*\S+)\s*\(", head)
                stack.append(("function", found.group(1) if found else "?", at))
            else:
                stack.append(("scope" if is_scope else "block", "", at))
            start = at + 1
        elif match.group(0) == "}":
            if stack:
                kind, name, opened = stack.pop()
                if kind == "function":
                    first = line_of(code, opened)
                    yield first, name, line_of(code, at) - first + 1
            start = at + 1
        else:
            start = at + 1


def function_sizes(tree):
    for name, code in tree.code.items():
        if tree.is_test(name):
            continue
        without_macros = re.sub(r"^[ \t]*#[^\n]*(?:\\\n[^\n]*)*", "", code, flags=re.MULTILINE)
        if without_macros.count("\n") != code.count("\n"):
            without_macros = re.sub(r"^[ \t]*#[^\n]*", "", code, flags=re.MULTILINE)
        for line, function, length in functions(without_macros):
            if length > FUNCTION_LINES_MAX:
                yield Finding(name, line, "function-size",
                              f"{function} has {length} lines, {FUNCTION_LINES_MAX} allowed",
                              f"{name}:{function}", length)


def headers_say_what_they_hold(tree):
    for name in tree.code:
        if name.endswith(".h"):
            first = next((x for x in tree.files[name].splitlines() if x.strip()), "")
            if not first.startswith("//") or len(first) < 12:
                yield Finding(name, 1, "header-comment",
                              "the first line is a comment that says what the header holds")


def no_vague_folders(tree):
    for name in tree.files:
        for folder in name.split("/")[:-1]:
            if folder in VAGUE_FOLDERS:
                yield Finding(name, 1, "vague-folder", f"a folder called {folder} says nothing")


def no_machine_in_the_tree(tree):
    """Tracked text names no registry's host and no path of somebody's machine."""
    for name, text in tree.files.items():
        for pattern, what in ((HOSTS, "names a registry's host"),
                              (MACHINE_PATHS, "holds a path of one machine")):
            for match in pattern.finditer(text):
                yield Finding(name, line_of(text, match.start()), "machine", what)


# What a text of ours tells a person to do at the cost of data, and the words that say so.
COSTS_DATA = re.compile(
    r"pg_drop_replication_slot|replication_slot_advance|pg-capture slots drop|\bslots drop\)"
    r"|(?<!may )\b[Dd]rop (?:a|the|its|this|that) slot|\bremov\w+ (?:a|the|its) stored position"
    r"|stored position and the slot|pg-capture position reset|--delete --topic", re.DOTALL)
SAYS_WHAT_IT_COSTS = re.compile(r"\b(?:lost|lose|loses|missing|done without)\b")
LITERAL = re.compile(r'//[^\n]*|/\*.*?\*/|R"([^(\s]*)\((?P<raw>.*?)\)\1"|"(?P<text>(?:\\.|[^"\\\n])*)"'
                     r"|(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+'|(?P<end>[;{}])", re.DOTALL)


def statements_texts(text):
    """(offset, the statement without comments, what its string literals say) of each statement."""
    start, says, code = 0, [], []
    at = 0
    for match in LITERAL.finditer(text):
        code.append(text[at:match.start()])
        at = match.end()
        said = match.group("text") if match.group("text") is not None else match.group("raw")
        if said is not None:
            if not says:
                start = match.start()
            says.append(said)
        elif match.group("end"):
            yield start, "".join(code), "".join(says)
            says, code = [], []
    yield start, "".join(code), "".join(says)


def costly_hints_say_so(tree):
    """Who is told to part from a slot or a position is told in the same text what is lost."""
    for name in tree.code:
        if tree.is_test(name):
            continue
        for offset, code, says in statements_texts(tree.files[name]):
            if says.startswith("/* pg-capture:"):  # a statement of ours, not a word to anybody
                continue
            if not COSTS_DATA.search(says):
                continue
            if not SAYS_WHAT_IT_COSTS.search(says):
                yield Finding(name, line_of(tree.files[name], offset), "costly-hint",
                              "tells someone to do what costs data and does not say what is lost")


# Choices that only others understand: their words go on to libpq and librdkafka as they are.
PASSED_ON = {"postgres.target_session_attrs", "kafka.compression"}


def choices_have_a_table(tree):
    """What may be written and what it stands for come from one table (base/words.h): a word that was
    added and forgotten would get the behaviour of another."""
    for name in tree.code:
        if tree.is_test(name) or not name.startswith("src/"):
            continue
        text = tree.files[name]
        for match in re.finditer(r'\.words = "', text):
            path = re.findall(r'\.path = "([\w.]+)"', text[:match.start()])
            if not path or path[-1] not in PASSED_ON:
                yield Finding(name, line_of(text, match.start()), "choice",
                              "the words of a choice come from a table (base/words.h)")
        for match in re.finditer(r'\bword\("[\w.]+"\)\s*[!=]=|[!=]=\s*[\w.>-]+word\("[\w.]+"\)', text):
            yield Finding(name, line_of(text, match.start()), "choice",
                          "what we decide by a word is asked for by its table: Settings::choice")


# Words that a reader who knows databases stumbles over, and what to say instead (CONTRIBUTING.md).
PLAIN_WORDS = [(re.compile(pattern), better) for pattern, better in [
    (r"\b[Mm]end(?:s|ed|ing)?\b|(?<=[a-z])Mend|_mend|mend(?:s|ed)?_", "hint; to fix"),
    (r"(?<!here )\b(?:is|are) no (?:table|text|list|object|number|count|place|answer|name|JSON|UTF-8|host)\b",
     "is not a …"),
    (r"\b(?:id|certificate|condition|request|escape|command|status) is none\b|\bthat (?:is|are) none\b",
     "is not valid, is not one of …"),
    (r"(?<!far )(?<!lag )(?<!lags )\b[Bb]ehind (?:it|them|that|the(?! stream's back)|one|every|all)\b",
     "after, past: behind means lagging"),
    (r"\b[Aa]new\b", "again"),
    (r"(?<![A-Za-z])(?:[Tt]old|[Tt]ell(?:s|ing)?)(?![A-Za-z])", "report, show, say, distinguish"),
    (r"\b[Gg]et(?:s|ting)? on\b", "progress"), (r"\b[Tt](?:ake|akes|aking|aken|ook) up\b|take_up\b", "restore, continue, start"),
    (r"\b[Cc]omes? to (?!be\b|us\b)|\b[Cc]ame to (?!rest\b)", "is, takes, reaches; result"),
    (r"\b[Hh]eed(?:s|ed)?\b", "handle"), (r"\bspeaks_of_", "indicates_…"),
    (r"\b[Dd]esks?\b|Desk|_desk|desk_", "requests, mailbox"),
    (r"\b[Oo]rders? (?:of|for) (?:a )?snapshots?\b|\bsnapshots? (?:is|are|was|were) ordered\b|SnapshotOrder",
     "request"),
    (r"\b[Ee]rrands?\b|Errand|\b[Ii]nquir(?:y|ies)\b|Inquir|\b[Cc]hores?\b", "query, maintenance"),
    (r"\b[Tt]end(?:s|ed|ing)?\b|\btend_", "service"), (r"\b[Gg]ulps?\b|Gulp", "read, large read"),
    (r"\b(?:Handover|Surroundings)\b|\bstruct With\b|\b(?:class|struct) World\b", "InFlightBatch; Deps"),
    (r"\bOpening\b|Complaint|\b[Oo]ctets?\b", "setup; report; bytes"),
    (r"\b[Pp]layed(?:_|\b)|\bPlayed|\b[Tt]wins?\b", "fake"),
]]


# What has words of its own: these rules and their tests, data of tests, and the simulation, where the old words still stand.
WORDS_OF_THEIR_OWN = ("tools/house_rules", "tests/house/test_house_rules.py", "tests/fuzz/corpus/", "tests/debezium/golden/",
                      "tests/debezium/workloads/", "tests/simulation/")


def has_plain_words(name):
    """Whether this file must have them."""
    if name.startswith(WORDS_OF_THEIR_OWN):
        return False
    page = name.endswith(".md") and name.startswith(("docs/", "README", "SECURITY"))
    code = name.startswith(("src/", "tests/", "bench/", "tools/")) and (
        name.endswith((".cc", ".h", ".md", ".py", ".sh", ".scenario")) or "." not in name.split("/")[-1])
    return page or code or name.startswith("examples/")


def plain_words(tree):
    """Code and pages use the words that databases, Kafka and systems programming have."""
    for name, text in tree.files.items():
        if not has_plain_words(name):
            continue
        for number, line in enumerate(text.splitlines(), 1):
            for pattern, better in PLAIN_WORDS:
                match = pattern.search(line)
                if match:
                    yield Finding(name, number, "plain-words", f'"{match.group(0)}": better {better}')


RULES = [rooms_look_up_only, folders_look_down_only, every_header_is_used, banned_calls,
         nothing_unfinished, file_sizes, function_sizes, headers_say_what_they_hold,
         no_vague_folders, no_machine_in_the_tree, costly_hints_say_so, choices_have_a_table,
         plain_words]


# -- the ratchet -----------------------------------------------------------------------------


def ratchet_path(root):
    return root / "tools" / "house_rules_ratchet.txt"


def read_ratchet(root):
    """{(rule, key): value}"""
    debts = {}
    path = ratchet_path(root)
    if path.exists():
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.strip() and not line.startswith("#"):
                rule, key, value = line.split()
                debts[(rule, key)] = int(value)
    return debts


def apply_ratchet(findings, debts):
    """Forgives known debts, and complains about a line that could be lower."""
    left, seen = [], {}
    for f in findings:
        allowed = debts.get((f.rule, f.key)) if f.key else None
        if f.key:
            seen[(f.rule, f.key)] = max(f.value, seen.get((f.rule, f.key), 0))
        if allowed is None or f.value > allowed:
            left.append(f)
    for (rule, key), allowed in debts.items():
        now = seen.get((rule, key), 0)
        if now < allowed:
            left.append(Finding("tools/house_rules_ratchet.txt", 1, "ratchet",
                                f"{rule} {key} is {now or 'paid'}: lower it with --update-ratchet"))
    return left


def update_ratchet(root, findings, debts):
    now = {(f.rule, f.key): f.value for f in findings if f.key}
    lines = ["# Old debts: rule, key, size. They may only shrink (tools/house_rules.py --update-ratchet)."]
    lines += [f"{rule} {key} {min(value, now[(rule, key)])}"
              for (rule, key), value in sorted(debts.items()) if (rule, key) in now]
    ratchet_path(root).write_text("\n".join(lines) + "\n", encoding="utf-8")


def check(root, rules=None):
    """All findings that the ratchet does not forgive."""
    tree = Tree(root)
    findings = [f for rule in rules or RULES for f in rule(tree)]
    debts = read_ratchet(root)
    if rules:
        return [f for f in findings if (f.rule, f.key) not in debts or f.value > debts[(f.rule, f.key)]]
    return apply_ratchet(findings, debts)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("root", nargs="?", default=pathlib.Path(__file__).resolve().parents[1],
                        type=pathlib.Path)
    parser.add_argument("--update-ratchet", action="store_true")
    options = parser.parse_args()
    if options.update_ratchet:
        tree = Tree(options.root)
        findings = [f for rule in RULES for f in rule(tree)]
        update_ratchet(options.root, findings, read_ratchet(options.root))
    findings = check(options.root)
    for finding in findings:
        print(finding)
    print(f"{len(RULES)} house rules, {len(findings)} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
