// YAML and TOML become the same tree, and hostile texts become errors.
#include "config/document.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/loader.h"

namespace pgc {
namespace {

using std::string_literals::operator""s;

// The tree in one line: kinds as letters, keys, texts.
std::string drawn(const Node& node) {
    switch (node.kind) {
        case Node::Kind::nothing: return "-";
        case Node::Kind::plain: return node.text;
        case Node::Kind::text: return "'" + node.text + "'";
        case Node::Kind::integer: return "i" + node.text;
        case Node::Kind::boolean: return "b" + node.text;
        case Node::Kind::other: return "?" + node.text;
        case Node::Kind::list: {
            std::string all;
            for (const Node& item : node.items) {
                all += (all.empty() ? "" : " ") + drawn(item);
            }
            return "[" + all + "]";
        }
        case Node::Kind::map: break;
    }
    std::string all;
    for (const Node::Member& member : node.members) {
        all += (all.empty() ? "" : " ") + member.key + ":" + drawn(member.value);
    }
    return "{" + all + "}";
}

std::string tree(std::string_view name, std::string_view text) {
    const Parsed parsed = parse_document(name, text);
    return parsed ? drawn(*parsed) : "error: " + parsed.error().reason;
}
std::string yaml(std::string_view text) {
    return tree("a.yaml", text);
}
std::string toml(std::string_view text) {
    return tree("a.toml", text);
}

std::size_t line_of_error(std::string_view name, std::string_view text) {
    const Parsed parsed = parse_document(name, text);
    return parsed ? 0 : parsed.error().place.line;
}

std::string repeated(std::string_view text, std::size_t times) {
    std::string all;
    all.reserve(text.size() * times);
    for (std::size_t i = 0; i < times; ++i) {
        all += text;
    }
    return all;
}

TEST(DocumentTest, YamlKeepsWhetherAWordWasQuoted) {
    EXPECT_EQ(yaml("a: 1\nb: '1'\nc: \"x\\ty\"\nd: yes\ne: |\n  x\n"),
              "{a:1 b:'1' c:'x\ty' d:yes e:'x\n'}");
}

TEST(DocumentTest, YamlNullsAreNothing) {
    EXPECT_EQ(yaml("a:\nb: ~\nc: null\nd: [~]\n"), "{a:- b:- c:- d:[-]}");
}

TEST(DocumentTest, YamlTagsOfTheCoreAreUnderstood) {
    EXPECT_EQ(yaml("a: !!str 1\nb: !!int '1'\n"), "{a:'1' b:1}");
    EXPECT_EQ(yaml("a: !env X\n"), "error: a tag other than !!str, !!int and !!bool");
    EXPECT_EQ(yaml("a: !set {x: 1}\n"), "error: a tag other than !!map and !!seq");
}

TEST(DocumentTest, YamlMapsMayRepeatKeys) {
    EXPECT_EQ(yaml("{a: 1, a: 2}"), "{a:1 a:2}");
}

TEST(DocumentTest, YamlKeysAreTexts) {
    EXPECT_EQ(yaml("? [a]\n: 1\n"), "error: a key that is not a text");
    EXPECT_EQ(yaml("~: 1\n"), "error: a key that is not a text");
}

TEST(DocumentTest, YamlRootIsAMap) {
    EXPECT_EQ(yaml(""), "{}");
    EXPECT_EQ(yaml("# only\n---\n"), "{}");
    EXPECT_EQ(yaml("word"), "error: the file must hold keys with values");
    EXPECT_EQ(yaml("- a\n"), "error: the file must hold keys with values");
}

TEST(DocumentTest, YamlIsOneDocument) {
    EXPECT_EQ(yaml("a: 1\n---\nb: 2\n"), "error: more than one document; keep one");
}

TEST(DocumentTest, TomlKeepsItsTypes) {
    EXPECT_EQ(toml("a = 0x10\nb = '1'\nc = true\nd = 1.5\ne = 2020-01-01\n"
                   "f = 10:00:00\ng = 2020-01-01T10:00:00Z\n"),
              "{a:i16 b:'1' c:btrue d:?a float e:?a date f:?a time g:?a date and time}");
}

TEST(DocumentTest, TomlKeepsTheOrderOfTheText) {
    EXPECT_EQ(toml("z = 1\na = 2\n[m]\nb = 3\na = {y = 1, x = [1, 'a']}\n"),
              "{z:i1 a:i2 m:{b:i3 a:{y:i1 x:[i1 'a']}}}");
}

TEST(DocumentTest, EveryNodeKnowsItsLine) {
    for (const auto& [name, text] : {std::pair{"a.yaml", "a: 1\nb:\n  c: 2\n  d:\n"},
                                     std::pair{"a.toml", "a = 1\n[b]\nc = 2\nd = []\n"}}) {
        const Parsed parsed = parse_document(name, text);
        ASSERT_TRUE(parsed) << parsed.error().reason;
        EXPECT_EQ(parsed->members[0].value.place.line, 1U) << name;
        EXPECT_EQ(parsed->members[1].place.line, 2U) << name;
        EXPECT_EQ(parsed->members[1].value.members[0].place.line, 3U) << name;
        EXPECT_EQ(parsed->members[1].value.members[1].value.place.line, 4U) << name;
    }
}

TEST(DocumentTest, RefusesWhatIsNotText) {
    EXPECT_EQ(yaml("a: \xFF"), "error: not UTF-8 text");
    EXPECT_EQ(toml("a = '\xC3('"), "error: not UTF-8 text");
    EXPECT_EQ(yaml("\xFF\xFE"
                   "a"),
              "error: not UTF-8 text");
    EXPECT_EQ(yaml("a: x\0y"s), "error: a zero byte");
    EXPECT_EQ(line_of_error("a.toml", "a = 1\n\n  \xFF"), 3U);
}

TEST(DocumentTest, RefusesATextThatIsTooLarge) {
    const std::string large(ConfigLimits::file_bytes + 1, '#');
    EXPECT_EQ(yaml(large), "error: larger than 1048576 bytes");
    EXPECT_EQ(toml(large), "error: larger than 1048576 bytes");
}

TEST(DocumentTest, RefusesHugeScalarsInYaml) {
    EXPECT_EQ(yaml("a: " + std::string(ConfigLimits::value_bytes + 1, 'x')),
              "error: a value longer than 65536 bytes");
}

TEST(DocumentTest, RefusesDeepNestingInYaml) {
    const std::string reason = "error: nested deeper than 32 levels";
    EXPECT_EQ(yaml("a: " + repeated("[", 100'000)), reason);
    EXPECT_EQ(yaml("a: " + repeated("{a: ", 100'000)), reason);
    EXPECT_EQ(yaml(repeated("- ", 100'000)), reason);
    EXPECT_EQ(yaml(repeated("? ", 100'000)), reason);
}

TEST(DocumentTest, RefusesDeepNestingInToml) {
    const std::string reason = "error: nested deeper than 32 levels";
    EXPECT_EQ(toml("a = " + repeated("[", 100'000)), reason);
    EXPECT_EQ(toml("a = " + repeated("{a=", 100'000)), reason);
    EXPECT_EQ(toml(repeated("a.", 100'000) + "a = 1"), reason);
    EXPECT_EQ(toml("[" + repeated("a.", 100'000) + "a]"), reason);
    EXPECT_EQ(toml(repeated("'a' . ", 100'000) + "a = 1"), reason);
    EXPECT_EQ(toml("x = '''\n'''\n" + repeated("a.", 100) + "a = 1"), reason);
    EXPECT_EQ(line_of_error("a.toml", "x = 1\n" + repeated("a.", 100) + "a = 1"), 2U);
}

TEST(DocumentTest, BracketsAndDotsWithinTomlStringsAreNoNesting) {
    const std::string dots = repeated(".[{", 100);
    EXPECT_TRUE(parse_document("a.toml", "a = '" + dots + "'"));
    EXPECT_TRUE(parse_document("a.toml", "a = \"\\\"" + dots + "\""));
    EXPECT_TRUE(parse_document("a.toml", "a = '''\n" + dots + "'\n'''"));
    EXPECT_TRUE(parse_document("a.toml", "a = \"\"\"\\\n" + dots + "\\\"\"\"\""));
    EXPECT_TRUE(parse_document("a.toml", "# " + dots + "\na = 1"));
}

TEST(DocumentTest, TomlKeepsEveryCharacterWithinQuotes) {
    EXPECT_EQ(
        toml("\"é\" = 'aé\u0080\u07FF\u0800\u3042\uFE30\uFFFF\U00010000\U000EFFFD\U00100000'"),
        "{é:'aé\u0080\u07FF\u0800\u3042\uFE30\uFFFF\U00010000\U000EFFFD\U00100000'}");
    EXPECT_EQ(toml(R"toml(a = ["""é"""", '''é''''', "é\\", "\"é", """\
                     é"""] # é)toml"),
              R"tree({a:['é"' 'é''' 'é\' '"é' 'é']})tree");
}

TEST(DocumentTest, RefusesTomlCharactersOutsideOfQuotes) {
    for (const std::string_view text :
         {"é = 1", "a = 1979-05-2ɲ", "a = [1,\u00A0 2]", "a = 1\u0085", "a = \u3042",
          "a = \"\"\"\\é\"\"\"", "a = 2\"**\u0491"}) {
        EXPECT_EQ(line_of_error("a.toml", text), 1U) << text;
    }
    EXPECT_EQ(line_of_error("a.toml", "# é\na = 'é'\nb = \"\"\"\né\"\"\"\"\"\nc = é"), 5U);
}

TEST(DocumentTest, RefusesTheCharactersThatStandInForOthersInToml) {
    const std::string reason = "error: a character from U+F0000 to U+FFFFF";
    EXPECT_EQ(toml("a = 1\nb = '\U000F00E9'"), reason);
    EXPECT_EQ(toml("a = \"\\U000F00E9\""), reason);
    EXPECT_EQ(toml("a = \"\\U000f00e9\""), reason);
    EXPECT_EQ(line_of_error("a.toml", "a = 1\nb = '\U000F00E9'"), 2U);
}

TEST(DocumentTest, SurvivesTomlThatBreaksTheLibrarysAssertions) {
    EXPECT_EQ(toml("[[[a"), "error: cannot be read as TOML");
}

TEST(DocumentTest, RefusesABombOfAliases) {
    std::string text = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n";
    for (int i = 1; i < 30; ++i) {
        const std::string alias = "*a" + std::to_string(i - 1);
        text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" +
                repeated(alias + ",", 9) + alias + "]\n";
    }
    EXPECT_EQ(yaml(text), "error: more than 20000 values");
}

TEST(DocumentTest, RefusesMoreValuesThanAConfigurationHas) {
    EXPECT_EQ(yaml("a: [" + repeated("x,", 30'000) + "]"), "error: more than 20000 values");
}

TEST(DocumentTest, RefusesAnAliasOfItself) {
    EXPECT_EQ(yaml("a: &a [*a]\n"), "error: an alias inside its own anchor");
    EXPECT_EQ(yaml("a: *b\n"), "error: the referenced anchor is not defined");
}

// --- JSON, as variables hold it ---

std::string json(std::string_view text) {
    const Parsed parsed = parse_value(text);
    return parsed ? drawn(*parsed) : "error: " + parsed.error().reason;
}

TEST(DocumentTest, ReadsJsonOfAnyKind) {
    EXPECT_EQ(json(R"([{"a":1,"b":[true,null,"x"]},{}])"), "[{a:1 b:[true - 'x']} {}]");
    EXPECT_EQ(json("{\"a\"\t:\t\"b\",\r\n\t\"c\" : -1.5e3 }"), "{a:'b' c:-1.5e3}");
    EXPECT_EQ(json(R"("x")"), "'x'");
    EXPECT_EQ(json(""), "-");
}

TEST(DocumentTest, ReadsTheEscapesOfJson) {
    EXPECT_EQ(json(R"("\"\\\/\b\f\n\r\t\u00e4\u20ac")"), "'\"\\/\b\f\n\r\tä€'");
    EXPECT_EQ(json(R"("\ud83d\ude00\uD834\uDD1E")"), "'😀𝄞'");
    EXPECT_EQ(json(R"("\\ud83d\\ude00")"), R"('\ud83d\ude00')");
}

TEST(DocumentTest, RefusesHalfASurrogate) {
    for (const std::string_view half : {R"("\ud83d")", R"("\ude00\ud83d")", R"("\ud83dx")"}) {
        EXPECT_TRUE(json(half).starts_with("error: ")) << half;
    }
}

TEST(DocumentTest, RefusesWhatIsNoOneValue) {
    for (const std::string_view text :
         {"[", "[1", "[1,", "{\"a\"", "[1]]", "[1][2]", "\xff", "\"a"}) {
        EXPECT_TRUE(json(text).starts_with("error: ")) << text;
    }
    EXPECT_EQ(json("1\n---\n2"), "error: more than one document; keep one");
}

TEST(DocumentTest, SurvivesEveryPrefix) {
    const std::string yaml_text =
        "a: &x {b: [1, 'two', \"th\\u0072ee\"], ? c : ~}\nd: >-\n  folded\n  text\ne: *x\n...\n";
    const std::string toml_text =
        "a.b = [1, 'two', \"th\\u0072ee\"]\n[[c]]\nd = \"\"\"\ntext\"\"\"\n[e.f]\ng = {h = 1.5}\n";
    for (std::size_t n = 0; n < yaml_text.size(); ++n) {
        (void)parse_document("a.yaml", std::string_view(yaml_text).substr(0, n));
    }
    for (std::size_t n = 0; n < toml_text.size(); ++n) {
        (void)parse_document("a.toml", std::string_view(toml_text).substr(0, n));
    }
    EXPECT_TRUE(parse_document("a.yaml", yaml_text));
    EXPECT_TRUE(parse_document("a.toml", toml_text));
}

}  // namespace
}  // namespace pgc
