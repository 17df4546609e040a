// Which Type each OID of the connected database means.
//
// Built-in types are known at compile time, so ordinary tables need no query. Others are
// asked for once: missing(oid) names what the map has no entry for, add() enters what the
// catalog answered, and find() composes the Type. The catalog is today's, the stream may be
// older: an OID that nobody knows any more (forget it with add_unknown) is of Kind::text, never an
// error; its reader says false to every value, so that it is shown as text and said to be.
//
// Types are immutable and shared; a map may forget and learn a type again while relations
// that were made before go on holding the old one. Not thread-safe: belongs to its source.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/ids.h"
#include "core/value.h"

namespace pgc {

// A row of pg_type with what belongs to it.
struct CatalogType {
    struct Attribute {
        std::string name;
        Oid type;
    };
    Oid oid{};
    std::string schema{};
    std::string name{};
    char type = 'b';      // typtype: b(ase) c(omposite) d(omain) e(num) r(ange) m(ultirange) p
    char category = 'U';  // typcategory
    Oid element{};        // typelem of a true array (typsubscript/typinput array_in), else none
    Oid base{};           // of a domain: typbasetype
    Oid subtype{};        // of a range: pg_range.rngsubtype
    Oid range{};          // of a multirange: the range (pg_range.rngtypid by rngmultitypid)
    std::vector<Attribute> attributes{};  // of a composite, in order, dropped ones left out
    char delimiter = ',';                 // typdelim
    bool has_send = true;                 // typsend <> 0
    std::int32_t modifier = -1;           // of a domain: typtypmod
    std::vector<std::string> labels{};    // of an enumeration, in order
};

class TypeMap {
public:
    // The OIDs, `oid` among them, that must be asked for before find(oid) is complete.
    // After add() of those, ask again: their elements, bases and attributes may be unknown
    // too. Empty when nothing is missing.
    std::vector<Oid> missing(Oid oid) const;

    // Enters or replaces. Built-in types can't be replaced.
    void add(CatalogType type);

    // The catalog has no such row (any more): missing() no longer names it.
    void add_unknown(Oid oid);

    // Forgets what was added under `oid`, and every Type composed so far that contains it:
    // the stream has announced it again. Unknown OIDs are no error.
    void forget(Oid oid);

    // Never null. Composes and remembers; the same OID gives the same Type until the next
    // add(), add_unknown() or forget(). What is still missing is read as text and is named
    // "oid:12345".
    TypePtr find(Oid oid);

    // Whether every value of this type that the server sends in binary can be read: a
    // column of any other makes us ask the server for text. False while anything is missing.
    bool binary_known(Oid oid);

private:
    struct Composed {
        TypePtr type;
        int height = 1;  // how deep it nests: bounds the readers' recursion
    };
    Composed compose(Oid oid, int depth);
    Composed compose_new(Oid oid, int depth);
    Composed compose_added(const CatalogType& row, int depth);
    std::shared_ptr<Type> compose_record(const CatalogType& row, int depth, int& height);

    std::unordered_map<Oid, CatalogType> added_;
    std::unordered_set<Oid> unknown_;
    std::unordered_map<Oid, Composed> composed_;
};

}  // namespace pgc
