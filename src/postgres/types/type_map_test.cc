#include "postgres/types/type_map.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "postgres/types/elements.h"
#include "support/type_reading.h"

namespace pgc {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::oid_of;
using testing::TypeReading;
using ::testing::UnorderedElementsAre;

constexpr Oid kInt4{23};
constexpr Oid kText{25};
constexpr Oid kRegclass{2205};

CatalogType row(std::uint32_t oid, std::string name, char type = 'b') {
    CatalogType result;
    result.oid = Oid{oid};
    result.schema = "public";
    result.name = std::move(name);
    result.type = type;
    result.has_send = true;
    return result;
}
CatalogType array_of(std::uint32_t oid, Oid element) {
    auto result = row(oid, "_of" + std::to_string(element.value));
    result.category = 'A';
    result.element = element;
    return result;
}
CatalogType domain_over(std::uint32_t oid, Oid base) {
    auto result = row(oid, "a_domain", 'd');
    result.base = base;
    return result;
}
CatalogType composite_of(std::uint32_t oid, std::vector<Oid> types) {
    auto result = row(oid, "a_composite", 'c');
    for (const Oid type : types) {
        result.attributes.push_back({"f" + std::to_string(result.attributes.size()), type});
    }
    return result;
}

TEST(TypeMapTest, KnowsBuiltInTypesWithoutACatalog) {
    TypeMap map;
    for (const auto name : {"bool", "int4", "numeric", "timestamptz", "_text", "int4range",
                            "nummultirange", "_numeric"}) {
        const Oid oid = oid_of(name);
        EXPECT_THAT(map.missing(oid), IsEmpty()) << name;
        EXPECT_EQ(map.find(oid)->name, name);
        EXPECT_EQ(map.find(oid)->oid, oid);
    }
}

TEST(TypeMapTest, KnowsEveryBuiltInArray) {
    TypeMap map;
    for (const std::uint32_t oid : {1000U, 1016U, 199U, 2951U, 3905U, 6157U, 271U}) {
        EXPECT_EQ(map.find(Oid{oid})->kind, Kind::array) << oid;
        EXPECT_NE(map.find(Oid{oid})->element, nullptr) << oid;
    }
}

TEST(TypeMapTest, IntegersSayTheirWidthAndSign) {
    TypeMap map;
    EXPECT_EQ(map.find(oid_of("int2"))->width, 2);
    EXPECT_EQ(map.find(oid_of("int4"))->width, 4);
    EXPECT_EQ(map.find(oid_of("int8"))->width, 8);
    EXPECT_FALSE(map.find(oid_of("int4"))->is_unsigned);
    EXPECT_TRUE(map.find(oid_of("oid"))->is_unsigned);
}

TEST(TypeMapTest, TheSameOidGivesTheSameType) {
    TypeMap map;
    EXPECT_EQ(map.find(kInt4), map.find(kInt4));
}

TEST(TypeMapTest, AsksForWhatItDoesNotKnow) {
    TypeMap map;
    EXPECT_THAT(map.missing(Oid{20001}), ElementsAre(Oid{20001}));
}

TEST(TypeMapTest, AsksForThePartsOfWhatWasAdded) {
    TypeMap map;
    map.add(array_of(20001, Oid{20002}));
    EXPECT_THAT(map.missing(Oid{20001}), ElementsAre(Oid{20002}));
    map.add(composite_of(20002, {kInt4, Oid{20003}, Oid{20004}}));
    EXPECT_THAT(map.missing(Oid{20001}), UnorderedElementsAre(Oid{20003}, Oid{20004}));
    map.add(domain_over(20003, kText));
    map.add(row(20004, "mood", 'e'));
    EXPECT_THAT(map.missing(Oid{20001}), IsEmpty());
}

TEST(TypeMapTest, AMissingTypeIsText) {
    TypeMap map;
    const TypePtr type = map.find(Oid{12345});
    EXPECT_EQ(type->kind, Kind::text);
    EXPECT_EQ(type->name, "oid:12345");
    EXPECT_EQ(type->read_binary, nullptr);
    EXPECT_EQ(TypeReading{}.text(Oid{12345}, "any thing"), "refused") << "and so named as_text";
}

TEST(TypeMapTest, ATypeTheCatalogForgotIsNotAskedForAgain) {
    TypeMap map;
    map.add_unknown(Oid{12345});
    EXPECT_THAT(map.missing(Oid{12345}), IsEmpty());
    EXPECT_EQ(map.find(Oid{12345})->name, "oid:12345");
    EXPECT_FALSE(map.binary_known(Oid{12345}));
}

TEST(TypeMapTest, NoTypeIsText) {
    TypeMap map;
    EXPECT_THAT(map.missing(Oid{}), IsEmpty());
    EXPECT_EQ(map.find(Oid{})->kind, Kind::text);
}

TEST(TypeMapTest, AnAnsweredTypeReplacesTheText) {
    TypeMap map;
    static_cast<void>(map.find(Oid{20001}));
    map.add(row(20001, "mood", 'e'));
    EXPECT_EQ(map.find(Oid{20001})->kind, Kind::enumeration);
    EXPECT_EQ(map.find(Oid{20001})->name, "public.mood");
}

TEST(TypeMapTest, EnumsAreTheirLabels) {
    TypeReading reading;
    reading.types.add(row(20001, "mood", 'e'));
    EXPECT_EQ(reading.text(Oid{20001}, "happy"), "'happy'");
    EXPECT_EQ(reading.binary(Oid{20001}, "happy"), "'happy'");
}

TEST(TypeMapTest, AnEnumAndADomainOverItKnowTheLabels) {
    TypeMap map;
    auto mood = row(20001, "mood", 'e');
    mood.labels = {"sad", "glad"};
    map.add(mood);
    map.add(domain_over(20002, Oid{20001}));
    map.add(array_of(20003, Oid{20002}));
    EXPECT_EQ(map.find(Oid{20001})->labels, mood.labels);
    EXPECT_EQ(map.find(Oid{20002})->labels, mood.labels);
    EXPECT_EQ(map.find(Oid{20003})->element->labels, mood.labels);
    mood.labels.emplace_back("neither");
    map.add(mood);
    EXPECT_EQ(map.find(Oid{20003})->element->labels, mood.labels);
}

TEST(TypeMapTest, ADomainOverADomainHasTheModifierOfTheOneBelow) {
    constexpr Oid kVarchar{1043};
    TypeMap map;
    auto below = domain_over(20001, kVarchar);
    below.modifier = 24;
    map.add(below);
    map.add(domain_over(20002, Oid{20001}));
    map.add(domain_over(20003, kVarchar));
    EXPECT_EQ(map.find(Oid{20001})->modifier, 24);
    EXPECT_EQ(map.find(Oid{20002})->modifier, 24);
    EXPECT_EQ(map.find(Oid{20003})->modifier, -1);
    EXPECT_EQ(map.find(kVarchar)->modifier, -1);
}

TEST(TypeMapTest, DomainsAreReadAsTheirBase) {
    TypeReading reading;
    reading.types.add(domain_over(20001, kInt4));
    reading.types.add(domain_over(20002, Oid{20001}));
    EXPECT_EQ(reading.text(Oid{20002}, "5"), "5");
    const TypePtr type = reading.types.find(Oid{20002});
    EXPECT_EQ(type->kind, Kind::integer);
    EXPECT_EQ(type->width, 4);
    EXPECT_EQ(type->name, "public.a_domain");
    EXPECT_EQ(type->oid, Oid{20002});
}

TEST(TypeMapTest, ArraysOfDomainsOfArraysAreRead) {
    TypeReading reading;
    reading.types.add(domain_over(20001, oid_of("_int4")));
    reading.types.add(array_of(20002, Oid{20001}));
    EXPECT_EQ(reading.text(Oid{20002}, R"({"{1,2}","{3}"})"), "[1:2]{[1:2]{1,2},[1:1]{3}}");
}

TEST(TypeMapTest, KnowsExtensionTypesByName) {
    TypeMap map;
    const auto kind_of = [&](const std::string& name) {
        map.add(row(20001, name));
        return map.find(Oid{20001})->kind;
    };
    EXPECT_EQ(kind_of("hstore"), Kind::map);
    EXPECT_EQ(kind_of("citext"), Kind::text);
    EXPECT_EQ(kind_of("ltree"), Kind::text);
    EXPECT_EQ(kind_of("geometry"), Kind::text);
    EXPECT_EQ(kind_of("geography"), Kind::text);
    EXPECT_EQ(kind_of("vector"), Kind::array);
    EXPECT_EQ(map.find(Oid{20001})->element->kind, Kind::real32);
    EXPECT_EQ(kind_of("halfvec"), Kind::array);
    EXPECT_EQ(kind_of("sparsevec"), Kind::text);
    EXPECT_EQ(kind_of("cube"), Kind::text);
}

TEST(TypeMapTest, OnlyBaseTypesAreExtensionTypes) {
    TypeMap map;
    map.add(row(20001, "hstore", 'e'));
    EXPECT_EQ(map.find(Oid{20001})->kind, Kind::enumeration);
}

TEST(TypeMapTest, GeometryIsHexadecimalInBothForms) {
    TypeReading reading;
    reading.types.add(row(20001, "geometry"));
    EXPECT_EQ(reading.text(Oid{20001}, "0101AB"), "'0101AB'");
    EXPECT_EQ(reading.binary(Oid{20001}, "\x01\x01\xAB"), "'0101AB'");
}

TEST(TypeMapTest, KnowsWhichBinaryFormsItReads) {
    TypeMap map;
    EXPECT_TRUE(map.binary_known(kInt4));
    EXPECT_TRUE(map.binary_known(oid_of("_timestamptz")));
    EXPECT_TRUE(map.binary_known(oid_of("nummultirange")));
    EXPECT_FALSE(map.binary_known(kRegclass));
    EXPECT_FALSE(map.binary_known(oid_of("_regclass")));
    EXPECT_FALSE(map.binary_known(Oid{20001}));
}

TEST(TypeMapTest, OneUnknownPartMakesTheWholeUnknown) {
    TypeMap map;
    map.add(composite_of(20001, {kInt4, kText}));
    EXPECT_TRUE(map.binary_known(Oid{20001}));
    map.add(composite_of(20001, {kInt4, kRegclass}));
    EXPECT_FALSE(map.binary_known(Oid{20001}));
    map.add(array_of(20002, Oid{20001}));
    EXPECT_FALSE(map.binary_known(Oid{20002}));
}

TEST(TypeMapTest, TypesWithoutASendFunctionComeAsTextAnyway) {
    TypeMap map;
    EXPECT_TRUE(map.binary_known(oid_of("aclitem")));
    EXPECT_FALSE(map.binary_known(oid_of("_aclitem"))) << "the server can't send these at all";
    auto odd = row(20001, "odd");
    EXPECT_FALSE((map.add(odd), map.binary_known(Oid{20001})));
    odd.has_send = false;
    EXPECT_TRUE((map.add(odd), map.binary_known(Oid{20001})));
    map.add(array_of(20002, Oid{20001}));
    EXPECT_FALSE(map.binary_known(Oid{20002}));
}

TEST(TypeMapTest, ForgetsWhatIsAnnouncedAnew) {
    TypeMap map;
    map.add(composite_of(20001, {kInt4}));
    map.add(array_of(20002, Oid{20001}));
    const TypePtr before = map.find(Oid{20002});
    map.forget(Oid{20001});
    EXPECT_THAT(map.missing(Oid{20002}), ElementsAre(Oid{20001}));
    map.add(composite_of(20001, {kInt4, kText}));
    const TypePtr after = map.find(Oid{20002});
    EXPECT_EQ(before->element->fields.size(), 1U) << "who holds the old one may go on";
    EXPECT_EQ(after->element->fields.size(), 2U);
}

TEST(TypeMapTest, BuiltInTypesCannotBeReplaced) {
    TypeMap map;
    map.add(row(23, "int4", 'e'));
    EXPECT_EQ(map.find(kInt4)->kind, Kind::integer);
    map.forget(kInt4);
    EXPECT_THAT(map.missing(kInt4), IsEmpty());
}

TEST(TypeMapTest, TypesThatContainThemselvesComeToAnEnd) {
    TypeMap map;
    map.add(array_of(20001, Oid{20001}));
    map.add(domain_over(20002, Oid{20002}));
    map.add(composite_of(20003, {Oid{20003}, Oid{20003}, Oid{20003}}));
    for (const std::uint32_t oid : {20001U, 20002U, 20003U}) {
        EXPECT_NE(map.find(Oid{oid}), nullptr);
        EXPECT_THAT(map.missing(Oid{oid}), IsEmpty());
    }
}

TEST(TypeMapTest, NestingBeyondTheBoundIsReadAsText) {
    TypeMap map;
    constexpr std::uint32_t first = 20000;
    map.add(array_of(first, kInt4));
    for (std::uint32_t i = 1; i < 100; ++i) {
        map.add(array_of(first + i, Oid{first + i - 1}));
        static_cast<void>(map.find(Oid{first + i}));
    }
    int depth = 0;
    for (TypePtr type = map.find(Oid{first + 99}); type->element; type = type->element) {
        ++depth;
    }
    EXPECT_LE(depth, types::kMaxNesting);
    EXPECT_FALSE(map.binary_known(Oid{first + 99}));
}

TEST(TypeMapTest, RangesAndMultirangesOfUserTypes) {
    TypeReading reading;
    auto range = row(20001, "textrange", 'r');
    range.subtype = kText;
    auto multirange = row(20002, "textmultirange", 'm');
    multirange.range = Oid{20001};
    reading.types.add(range);
    reading.types.add(multirange);
    EXPECT_EQ(reading.text(Oid{20002}, "{[a,b),[c,d)}"), "{['a','b'),['c','d')}");
    EXPECT_TRUE(reading.types.binary_known(Oid{20002}));
}

TEST(TypeMapTest, SystemTypesAreNamedWithoutTheirSchema) {
    TypeMap map;
    auto system = row(13000, "sql_identifier", 'd');
    system.base = kText;
    system.schema = "pg_catalog";
    map.add(system);
    EXPECT_EQ(map.find(Oid{13000})->name, "sql_identifier");
}

}  // namespace
}  // namespace pgc
