// A value that somebody gave and nobody has read yet, and where it stands.
#pragma once

#include <cstdint>
#include <string>

#include "config/document.h"
#include "config/interpolation.h"
#include "config/settings.h"

namespace pgc {

// A text that holds values: the configuration file, a variable or flag, the file of a variable.
struct Provenance {
    Origin::Source source = Origin::Source::file;
    std::string giver;  // "environment PG_HOST", "flag --sink"; empty for the configuration file
    std::string file;   // whose lines a Place counts; empty: those of the giver's text
    ReferenceStyle style = ReferenceStyle::strict;

    // "shop.yaml:3", "environment PG_HOST", "environment PG_CAPTURE_ALERTS, line 2",
    // "environment PG_CAPTURE_ALERTS_FILE, /etc/alerts.json:2"
    std::string where(Place place) const;
    Origin origin(Place place) const { return {source, where(place)}; }
};

struct Given {
    enum class Form : std::uint8_t { node, text, file };
    Form form = Form::text;
    Provenance from;
    Place place;                 // of its key in a file; else line 0
    const Node* node = nullptr;  // lives until it is read
    std::string text;            // or the path of the file that holds it

    Origin origin() const { return from.origin(place); }
};

}  // namespace pgc
