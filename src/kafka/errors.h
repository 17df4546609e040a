// What a code of librdkafka or of a broker means to us: its category, whether waiting helps,
// and what fixes it. One table; a code it doesn't know is retried, for only a known one may
// stop a pipeline that is meant to run for years.
//
// Who we are may be doubted for a while (a password is changed here and there, a certificate
// is renewed), so authentication is retried too: with a new client, which reads the secrets
// and certificates again. An unknown topic is retried, for a deleted one is created again;
// who may not create it (kafka.topics.create: false) stops instead.
#pragma once

#include <librdkafka/rdkafka.h>

#include <string>
#include <string_view>

#include "base/error.h"

namespace pgc {

// `what` happened, without full stop: "a topic can't be created". The code's own words are
// put after it, or `detail` where the library or the broker said more than the code.
Error kafka_error(rd_kafka_resp_err_t code, std::string_view what, std::string_view detail = {});

// "TOPIC_AUTHORIZATION_FAILED", for logs and metrics.
std::string_view kafka_error_name(rd_kafka_resp_err_t code) noexcept;

}  // namespace pgc
