// What must outlive a source: kept by whoever makes sources, handed to each in turn.
//
// After an Error a source is destroyed and another one built. A server that sends a type
// we can't read in binary would do so again: hence "ask for text" sticks.
#pragma once

namespace pgc {

struct SourceMemory {
    bool text_only = false;
};

}  // namespace pgc
