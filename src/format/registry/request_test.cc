#include "format/registry/request.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "observe/json_reader.h"

namespace pgc {
namespace {

using testing::Contains;
using testing::Not;
using testing::Pair;
using What = RegistryRequest::What;

constexpr std::string_view kRegistry = "http://registry:8081";

HttpCall call(RegistryRequest request) {
    request.subject = "shop.public.users-value";
    return http_call(request, kRegistry);
}

TEST(RegistryRequestTest, AvroIsRegisteredWithoutAType) {
    const HttpCall one =
        call({.what = What::register_schema, .schema = {SchemaType::avro, R"({"type":"string"})"}});
    EXPECT_EQ(one.method, "POST");
    EXPECT_EQ(one.url, "http://registry:8081/subjects/shop.public.users-value/versions");
    EXPECT_EQ(one.body, R"({"schema":"{\"type\":\"string\"}"})");
    EXPECT_THAT(one.headers,
                Contains(Pair("Content-Type", "application/vnd.schemaregistry.v1+json")));
}

TEST(RegistryRequestTest, OthersSayWhatTheyAreAndWhatTheyUse) {
    const HttpCall one = call({.what = What::find_schema,
                               .schema = {SchemaType::protobuf,
                                          "syntax = \"proto3\";\n",
                                          {{"a.proto", "a", 1}, {"b\".proto", "b", 22}}},
                               .normalize = true});
    EXPECT_EQ(one.method, "POST");
    EXPECT_EQ(one.url, "http://registry:8081/subjects/shop.public.users-value?normalize=true");
    const auto json = read_json(one.body);
    ASSERT_TRUE(json) << one.body;
    EXPECT_EQ(json->member("schemaType").text(), "PROTOBUF");
    EXPECT_EQ(json->member("schema").text(), "syntax = \"proto3\";\n");
    const auto references = json->member("references").elements();
    ASSERT_EQ(references.size(), 2U);
    EXPECT_EQ(references[1].member("name").text(), "b\".proto");
    EXPECT_EQ(references[1].member("subject").text(), "b");
    EXPECT_EQ(references[1].member("version").count(), 22U);
}

TEST(RegistryRequestTest, LevelsAreSetBySubject) {
    const HttpCall one =
        call({.what = What::set_level, .level = Compatibility::backward_transitive});
    EXPECT_EQ(one.method, "PUT");
    EXPECT_EQ(one.url, "http://registry:8081/config/shop.public.users-value");
    EXPECT_EQ(one.body, R"({"compatibility":"BACKWARD_TRANSITIVE"})");
}

TEST(RegistryRequestTest, VersionsAreReadWithThoseThatWereDeleted) {
    const HttpCall list = call({.what = What::list_versions});
    EXPECT_EQ(list.method, "GET");
    EXPECT_EQ(list.url,
              "http://registry:8081/subjects/shop.public.users-value/versions?deleted=true");
    EXPECT_TRUE(list.body.empty());
    EXPECT_THAT(list.headers, Not(Contains(Pair("Content-Type", testing::_))));
    EXPECT_EQ(call({.what = What::get_version, .version = 3}).url,
              "http://registry:8081/subjects/shop.public.users-value/versions/3?deleted=true");
}

TEST(RegistryRequestTest, NoNameOfASubjectLeavesItsPlaceInThePath) {
    const RegistryRequest request{.what = What::find_schema, .subject = "a/b?c#d e%\xC3\xA4.Ä"};
    EXPECT_EQ(http_call(request, "http://r/apis").url,
              "http://r/apis/subjects/a%2Fb%3Fc%23d%20e%25%C3%A4.%C3%84");
}

TEST(RegistryRequestTest, BasicAuthorizationIsThatOfTheStandard) {
    EXPECT_EQ(basic_authorization("Aladdin", Secret{"open sesame"}).reveal(),
              "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
}

}  // namespace
}  // namespace pgc
