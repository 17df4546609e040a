// Finds the option that each member of a file's section belongs to.
//
// Used for the whole configuration file and, with the fields of an element as the options, for
// each element of a list of objects.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "config/declarations.h"
#include "config/given.h"
#include "config/load_errors.h"

namespace pgc {

class SectionWalk {
public:
    // Called for a member that no option is declared for. `path` is relative to the element.
    using Unknown = std::function<void(const std::string& path, const Node::Member& member)>;

    // All outlive it. `name` is the element's, as Settings has it.
    SectionWalk(const Declarations& declarations, const Provenance& from, const std::string& name,
                LoadErrors& errors, Unknown unknown)
        : declarations_(declarations),
          from_(from),
          name_(name),
          errors_(errors),
          unknown_(std::move(unknown)) {}

    // The nodes in the result are `root`'s.
    std::map<const Option*, Given> walk(const Node& root) &&;

private:
    void section(const Node& node, const std::string& prefix);
    void take(const std::string& path, const Node::Member& member);
    void refuse(Place place, const std::string& path, std::string reason);

    const Declarations& declarations_;
    const Provenance& from_;
    const std::string& name_;
    LoadErrors& errors_;
    const Unknown unknown_;
    std::map<const Option*, Given> given_;
};

// "transforms[2].salt" of "transforms[2]" and "salt"; of no name the path itself.
std::string joined_path(const std::string& name, const std::string& path);

}  // namespace pgc
