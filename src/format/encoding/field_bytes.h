// The constant bytes of what a plan describes, and what an encoding is.
//
// An encoding is a class of static functions: JsonEncoding, AvroEncoding, ProtobufEncoding. A plan
// is compiled for one of them. What of a message is the same in each is kept as bytes ready to be
// copied:
//
//   kNeedsSchema            nothing can be read without one: arrays are what the schema says
//   field(field, place)     of the `place`th field of a structure
//   element(schema)         of the elements of an array
//   entry(map)              of the entries of a map
//
// Values stand between begin and end of what holds them; begin returns what end is to be given:
//
//   message                 a whole key or value: a structure that nothing holds
//   structure               within another; its fields in their order, each present or absent
//   array, next, element    next() before each element but the first; null_element() for null
//   map, next, entry        the key as text() or integer(), entry.value.present, the value
#pragma once

#include <string>

namespace pgc {

struct FieldBytes {
    std::string present;  // before a value
    std::string absent;   // instead of one
};

struct EntryBytes {
    std::string key;   // before it
    FieldBytes value;  // after the key
    std::string end;
};

}  // namespace pgc
