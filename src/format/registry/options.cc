#include "format/registry/options.h"

#include <algorithm>
#include <string_view>

#include "base/local_address.h"
#include "config/option_checker.h"

namespace pgc {
namespace {

constexpr std::string_view kUrl = "format.registry.url";

constexpr Option kOptions[] = {
    {.path = kUrl,
     .kind = OptionKind::list,
     .help = "addresses of the schema registry, https:// or http://; several with commas",
     .doc = "Any registry with Confluent's API. Several are instances of one registry: where one "
            "does not answer the next is asked. Apicurio's is at `/apis/ccompat/v7`. A proxy is "
            "used where `https_proxy`, `http_proxy` and `no_proxy` of the environment name one. "
            "While the registry does not answer, tables whose schemas are known stream on, others "
            "wait, and `pg-capture status` says so."},
    {.path = "format.registry.subject_strategy",
     .kind = OptionKind::choice,
     .fallback = "topic_name",
     .help = "under which names schemas are registered",
     .doc = "`topic_name`: the topic and `-key` or `-value`. `record_name`: the full name of the "
            "record or message, or the title of a JSON Schema. `topic_record_name`: the topic, a "
            "`-` and that name. Consumers have to be configured alike.",
     .words = kSubjectStrategies.all()},
    {.path = "format.registry.auto_register",
     .kind = OptionKind::boolean,
     .fallback = "true",
     .help = "register schemas; false: only look them up",
     .doc = "With `false` somebody else registers them, and a schema that is missing is refused "
            "with an error that holds it; with `schema_change` `pause` it is waited for."},
    {.path = "format.registry.normalize",
     .kind = OptionKind::boolean,
     .fallback = "false",
     .help = "let the registry normalize schemas before it compares them"},
    {.path = "format.registry.compatibility",
     .kind = OptionKind::choice,
     .fallback = "unchanged",
     .help = "what new schemas of values have to be compatible with; set in the registry",
     .doc = "Set for each subject before its schema is registered, once in the life of a process. "
            "`unchanged` leaves what the registry has.",
     .words = kCompatibilities.all()},
    {.path = "format.registry.key_compatibility",
     .kind = OptionKind::choice,
     .fallback = "unchanged",
     .help = "the same for schemas of keys",
     .words = kCompatibilities.all()},
    {.path = "format.registry.docs",
     .kind = OptionKind::boolean,
     .fallback = "false",
     .help = "comments of tables and columns become docs in Avro and JSON Schema"},
    {.path = "format.registry.username", .help = "user, for basic authentication"},
    {.path = "format.registry.password",
     .kind = OptionKind::secret,
     .help = "password of the user",
     .doc = "Read again for each request, as every secret is."},
    {.path = "format.registry.bearer_token",
     .kind = OptionKind::secret,
     .help = "token, instead of a user and a password"},
    {.path = "format.registry.ssl_root_cert",
     .fallback_note = "the machine's own",
     .help = "file of the authorities that may sign the registry's certificate"},
    {.path = "format.registry.ssl_cert", .help = "file of our certificate, for mutual TLS"},
    {.path = "format.registry.ssl_key", .help = "file of its private key"},
    {.path = "format.registry.ssl_key_password",
     .kind = OptionKind::secret,
     .help = "passphrase of the private key"},
    {.path = "format.registry.timeout_ms",
     .kind = OptionKind::milliseconds,
     .fallback = "10000",
     .help = "how long one request may take",
     .min = 100,
     .max = 300'000},
    {.path = "format.registry.retry_backoff_ms",
     .kind = OptionKind::milliseconds,
     .fallback = "100",
     .help = "pause before a request that failed at every address is sent again",
     .doc = "Doubled each time, and never all of it: by chance half of it or more. It is sent "
            "again for as long as it takes.",
     .min = 10,
     .max = 60'000},
    {.path = "format.registry.retry_backoff_max_ms",
     .kind = OptionKind::milliseconds,
     .fallback = "5000",
     .help = "the longest such pause; a refused schema is asked about again after it",
     .min = 10,
     .max = 600'000},
};

bool starts_as_url(std::string_view url) {
    return url.starts_with("http://") || url.starts_with("https://");
}

class Checker final : OptionChecker {
public:
    Checker(const Settings& settings, Errors& errors) : OptionChecker(settings, errors) {}

    void run() {
        if (good(kUrl)) urls();
        only_with_a_registry();
        credentials();
        tls();
        compatibility();
        evolution();
        if (settings().duration("format.registry.retry_backoff_ms") >
            settings().duration("format.registry.retry_backoff_max_ms")) {
            contradiction(
                {"format.registry.retry_backoff_ms", "format.registry.retry_backoff_max_ms"},
                "the first pause is longer than the longest", "make the second the larger one");
        }
    }

private:
    void urls() {
        for (const std::string& url : settings().list(kUrl)) {
            const auto host = host_of_url(url);
            if (!starts_as_url(url) || !host || host->empty() ||
                url.find_first_of(" \t\r\n?#") != std::string::npos) {
                add(kUrl, "each must be an https:// or http:// address without a query");
                return;
            }
            if (url.contains('@')) {
                add(kUrl, "must hold no user and password",
                    "give them as format.registry.username and format.registry.password");
                return;
            }
        }
    }

    void only_with_a_registry() {
        const bool has_one = !settings().list(kUrl).empty();
        for (const Option& option : kOptions) {
            if (option.path == kUrl) continue;
            only_with(option.path, kUrl, has_one, "there is no registry to use it with",
                      "set format.registry.url");
        }
    }

    void credentials() {
        const bool username = !settings().text("format.registry.username").empty();
        if (username != settings().given("format.registry.password")) {
            contradiction({"format.registry.username", "format.registry.password"},
                          "a user and the password go together", "give both or neither");
        }
        only_with("format.registry.bearer_token", "format.registry.username", !username,
                  "a token and a user exclude each other", "give one of them");
    }

    void tls() {
        const auto& urls = settings().list(kUrl);
        const bool encrypted = urls.empty() || std::ranges::any_of(urls, [](const auto& url) {
                                   return url.starts_with("https://");
                               });
        for (const std::string_view path :
             {"format.registry.ssl_root_cert", "format.registry.ssl_cert",
              "format.registry.ssl_key", "format.registry.ssl_key_password"}) {
            only_with(path, kUrl, encrypted, "the registry is asked without TLS",
                      "give its https:// address");
        }
        const bool key = !settings().text("format.registry.ssl_key").empty();
        if (key == settings().text("format.registry.ssl_cert").empty()) {
            contradiction({"format.registry.ssl_cert", "format.registry.ssl_key"},
                          "a certificate and its key go together", "give both or neither");
        }
        only_with("format.registry.ssl_key_password", "format.registry.ssl_key", key,
                  "there is no key that it could open", "name the key's file");
    }

    void compatibility() {
        const bool ours = settings().boolean("format.registry.auto_register");
        for (const std::string_view path :
             {"format.registry.compatibility", "format.registry.key_compatibility"}) {
            const bool unchanged =
                settings().choice(path, kCompatibilities) == Compatibility::unchanged;
            only_with(path, "format.registry.auto_register", ours || unchanged,
                      "where somebody else registers the schemas, he sets it",
                      "leave it unchanged, or set format.registry.auto_register to true");
        }
    }

    void evolution() {
        constexpr std::string_view path = "schema_change";
        if (!settings().declared(path)) return;
        const bool evolves = settings().choice(path, kSchemaChanges) == SchemaChange::evolve;
        only_with(path, "format.registry.auto_register",
                  !evolves || settings().boolean("format.registry.auto_register"),
                  "where somebody else registers the schemas, he sets the level",
                  "set it to pause or fail, or format.registry.auto_register to true");
        only_with(path, "format.registry.url",
                  evolves || !settings().list("format.registry.url").empty(),
                  "without a schema registry nothing is refused", "leave it out");
    }
};

void check_registry(const Settings& settings, Errors& errors) {
    Checker(settings, errors).run();
}

SecretSource given_secret(const Settings& settings, std::string_view path, Files& files) {
    return settings.given(path) ? settings.secret_source(path, files) : SecretSource{};
}

}  // namespace

const OptionTable kRegistryOptions{
    .section = "format.registry",
    .about = "The schema registry, which Avro, Protobuf and JSON Schema need.",
    .options = kOptions,
    .check = check_registry,
};

RegistryConfig registry_config(const Settings& settings, Files& files) {
    RegistryConfig c;
    for (std::string url : settings.list(kUrl)) {
        while (url.ends_with('/')) url.pop_back();
        c.urls.push_back(std::move(url));
    }
    c.strategy = settings.choice("format.registry.subject_strategy", kSubjectStrategies);
    c.auto_register = settings.boolean("format.registry.auto_register");
    c.normalize = settings.boolean("format.registry.normalize");
    c.docs = settings.boolean("format.registry.docs");
    c.compatibility = settings.choice("format.registry.compatibility", kCompatibilities);
    c.key_compatibility = settings.choice("format.registry.key_compatibility", kCompatibilities);
    if (settings.declared("schema_change")) {
        c.schema_change = settings.choice("schema_change", kSchemaChanges);
    }
    c.username = settings.text("format.registry.username");
    c.password = given_secret(settings, "format.registry.password", files);
    c.bearer_token = given_secret(settings, "format.registry.bearer_token", files);
    c.root_certificate = settings.text("format.registry.ssl_root_cert");
    c.certificate = settings.text("format.registry.ssl_cert");
    c.key = settings.text("format.registry.ssl_key");
    c.key_password = given_secret(settings, "format.registry.ssl_key_password", files);
    c.timeout = settings.duration("format.registry.timeout_ms");
    c.backoff = settings.duration("format.registry.retry_backoff_ms");
    c.backoff_max = settings.duration("format.registry.retry_backoff_max_ms");
    return c;
}

}  // namespace pgc
