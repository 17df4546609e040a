#include "format/registry/answer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace pgc {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;
using Is = RegistryAnswer::Is;
using What = RegistryRequest::What;
using Next = Error::Next;

constexpr std::string_view kUrl = "http://registry:8081";

RegistryAnswer answered(What what, int status, std::string body, std::int32_t version = 0) {
    const RegistryRequest request{.what = what, .subject = "users-value", .version = version};
    return read_answer(request, {.status = status, .headers = {}, .body = std::move(body)}, kUrl);
}

TEST(RegistryAnswerTest, AnIdIsAnId) {
    for (const What what : {What::register_schema, What::find_schema}) {
        for (const auto* body :
             {R"({"id":7})", R"({"subject":"users-value","version":1,"id":7,"schema":"x"})"}) {
            const auto answer = answered(what, 200, body);
            EXPECT_EQ(answer.is, Is::ok);
            EXPECT_EQ(answer.id, SchemaId{7});
        }
    }
}

TEST(RegistryAnswerTest, WhatIsNoIdIsAskedForAgain) {
    for (const auto* body :
         {"", "<html>", "7", "[7]", "{}", R"({"id":0})", R"({"id":-1})", R"({"id":"7"})",
          R"({"id":7.5})", R"({"id":2147483648})", R"({"id":null})", R"({"id":7)"}) {
        const auto answer = answered(What::register_schema, 200, body);
        EXPECT_EQ(answer.is, Is::failed) << body;
        EXPECT_EQ(answer.error.next, Next::retry) << body;
        EXPECT_EQ(answer.error.category, Error::Category::protocol) << body;
        EXPECT_EQ(answer.error.where, kUrl);
    }
}

TEST(RegistryAnswerTest, VersionsRiseAndComeOnce) {
    EXPECT_THAT(answered(What::list_versions, 200, "[3,1,2,3]").versions, ElementsAre(1, 2, 3));
    const auto none = answered(What::list_versions, 200, "[]");
    EXPECT_EQ(none.is, Is::ok);
    EXPECT_THAT(none.versions, IsEmpty());
    for (const auto* body : {"{}", "[0]", "[\"1\"]", "[1,null]", "nothing"}) {
        EXPECT_EQ(answered(What::list_versions, 200, body).is, Is::failed) << body;
    }
}

TEST(RegistryAnswerTest, ASchemaIsReadBackWhole) {
    const auto answer = answered(What::get_version, 200,
                                 R"({"subject":"users-value","version":2,"id":9,
                                     "schemaType":"PROTOBUF","schema":"syntax = \"proto3\";",
                                     "references":[{"name":"a.proto","subject":"a","version":4}],
                                     "deleted":true,"metadata":{"properties":{}}})",
                                 2);
    ASSERT_EQ(answer.is, Is::ok) << describe(answer.error);
    EXPECT_EQ(
        answer.schema,
        (RegisteredSchema{2,
                          SchemaId{9},
                          {SchemaType::protobuf, "syntax = \"proto3\";", {{"a.proto", "a", 4}}}}));
    const auto avro = answered(What::get_version, 200, R"({"version":2,"id":9,"schema":"x"})", 2);
    EXPECT_EQ(avro.schema.schema.type, SchemaType::avro);
}

TEST(RegistryAnswerTest, ASchemaThatIsNotTheOneAskedForIsNone) {
    for (const auto* body : {R"({"version":3,"id":9,"schema":"x"})", R"({"version":2,"id":9})",
                             R"({"version":2,"schema":"x"})", R"({"version":2,"id":9,"schema":{}})",
                             R"({"version":2,"id":9,"schema":"x","schemaType":"XML"})",
                             R"({"version":2,"id":9,"schema":"x","references":[{}]})"}) {
        EXPECT_EQ(answered(What::get_version, 200, body, 2).is, Is::failed) << body;
    }
}

TEST(RegistryAnswerTest, IncompatibleOnesAreRefusedInTheRegistrysOwnWords) {
    const auto answer = answered(
        What::register_schema, 409,
        R"({"error_code":40901,"message":"incompatible: READER_FIELD_MISSING_DEFAULT_VALUE"})");
    EXPECT_EQ(answer.is, Is::refused);
    EXPECT_EQ(answer.error.what,
              "the schema registry refuses the schema of the subject \"users-value\": "
              "incompatible: READER_FIELD_MISSING_DEFAULT_VALUE (error code 40901)");
    EXPECT_EQ(answer.error.where, kUrl);
    EXPECT_THAT(answer.error.hint, HasSubstr("PUT /config/users-value"));
    EXPECT_EQ(answer.error.category, Error::Category::data);
}

TEST(RegistryAnswerTest, OtherRequestsItDoesNotTakeAreRefused) {
    const auto invalid =
        answered(What::register_schema, 422, R"({"error_code":42201,"message":"Invalid schema"})");
    EXPECT_EQ(invalid.is, Is::refused);
    EXPECT_THAT(invalid.error.what, HasSubstr("Invalid schema (error code 42201)"));
    EXPECT_THAT(answered(What::register_schema, 413, "<html>").error.what,
                HasSubstr("it says no more (HTTP 413)"));
    const auto level = answered(What::set_level, 422, R"({"error_code":42203,"message":"no"})");
    EXPECT_EQ(level.is, Is::refused);
    EXPECT_THAT(level.error.what, HasSubstr("refuses the compatibility level"));
    EXPECT_THAT(level.error.hint, HasSubstr("format.registry.compatibility"));
    const std::vector<std::pair<What, std::string>> others{
        {What::find_schema, "refuses the schema of the subject \"users-value\": "},
        {What::list_versions, "refuses to show the schemas of the subject \"users-value\": "},
        {What::get_version, "refuses to show the schemas of the subject \"users-value\": "},
        {What::get_level, "refuses to show the compatibility level of the subject"},
        {What::unset_level, "refuses the compatibility level of the subject"},
        {What::list_subjects, "refuses to list its subjects: "}};
    for (const auto& [what, words] : others) {
        EXPECT_THAT(answered(what, 400, "").error.what, HasSubstr(words));
    }
}

TEST(RegistryAnswerTest, WhoWeAreOrWhatWeMayIsSaidPlainly) {
    const auto who = answered(What::register_schema, 401, "");
    EXPECT_EQ(who.is, Is::denied);
    EXPECT_EQ(who.error.next, Next::stop);
    EXPECT_EQ(who.error.category, Error::Category::authentication);
    EXPECT_THAT(who.error.hint, HasSubstr("format.registry.username"));
    const auto may = answered(What::register_schema, 403,
                              R"({"error_code":40301,"message":"User is denied Write"})");
    EXPECT_EQ(may.is, Is::denied);
    EXPECT_EQ(may.error.category, Error::Category::permission);
    EXPECT_THAT(may.error.what, AllOf(HasSubstr("register a schema under the subject"),
                                      HasSubstr("User is denied Write (error code 40301)")));
}

TEST(RegistryAnswerTest, WhatIsNotThereIsToldFromAWrongPath) {
    for (const int code : {40401, 40402, 40403}) {
        const auto absent =
            answered(What::find_schema, 404,
                     R"({"error_code":)" + std::to_string(code) + R"(,"message":"not found"})");
        EXPECT_EQ(absent.is, Is::absent) << code;
    }
    for (const auto* body :
         {"<html>", "", R"({"error_code":404,"message":"HTTP 404 Not Found"})"}) {
        const auto wrong = answered(What::find_schema, 404, body);
        EXPECT_EQ(wrong.is, Is::failed) << body;
        EXPECT_THAT(wrong.error.hint, HasSubstr("format.registry.url"));
    }
}

TEST(RegistryAnswerTest, ItsOwnTroublePasses) {
    for (const int status : {408, 425, 429, 500, 502, 503, 504}) {
        const auto answer = answered(What::register_schema, status,
                                     R"({"error_code":50002,"message":"timed out"})");
        EXPECT_EQ(answer.is, Is::failed) << status;
        EXPECT_EQ(answer.error.next, Next::retry) << status;
        EXPECT_EQ(answer.error.what, "timed out (error code 50002)");
    }
    const auto moved = answered(What::register_schema, 302, "");
    EXPECT_EQ(moved.is, Is::failed);
    EXPECT_THAT(moved.error.what, StartsWith("HTTP 302"));
}

TEST(RegistryAnswerTest, WhatAPeerSaysIsShownWithoutControlCharactersAndShortened) {
    const std::string flood(10'000, 'x');
    const auto answer =
        answered(What::register_schema, 422,
                 R"({"error_code":42201,"message":"a\u001b[31m\nb\u007f)" + flood + R"("})");
    EXPECT_THAT(answer.error.what, HasSubstr("a [31m b xxx"));
    EXPECT_LT(answer.error.what.size(), 2'200U);
    EXPECT_THAT(answer.error.what, Not(HasSubstr("\x1b")));
}

}  // namespace
}  // namespace pgc
