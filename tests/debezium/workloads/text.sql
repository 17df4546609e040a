CREATE EXTENSION citext;
CREATE EXTENSION ltree;
CREATE EXTENSION isn;
CREATE TYPE mood AS ENUM ('sad', 'so "happy"', 'comma,brace}', 'é');
CREATE TABLE texts (
    id int PRIMARY KEY, a_text text, a_varchar varchar, a_varchar_7 varchar(7), a_char char, a_char_5 char(5),
    a_qchar "char", a_name name, a_citext citext, a_uuid uuid, a_json json, a_jsonb jsonb, a_xml xml,
    a_tsvector tsvector, a_tsquery tsquery, a_ltree ltree, a_mood mood, a_isbn isbn, a_jsonpath jsonpath);
INSERT INTO texts VALUES
    (1, 'text', 'varchar', 'seven c', 'c', 'abc', 'x', 'pg_class', 'ÄbC', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11',
     '{ "a" :  1, "a": 2.50 }', '{ "b" : [1, 2.50, null], "a": "é\n" }', '<a b="c">1</a>', 'a fat cat', 'fat & (cat | rat)',
     'a.b_1.C', 'so "happy"', '978-0-393-04002-9', '$.a[*] ? (@ > 1)'),
    (2, '', '', '', '', '', '', '', '', '00000000-0000-0000-0000-000000000000', '[]', '[]', '', '', '', '', 'sad', NULL, '$'),
    (4, E' quote " back \\ slash / \t\n\r\b\f\x01\x1f\x7f é 中 😀 \u2028', ' ', 'é中😀', 'é', 'é', 'a', 'Name With "Quotes"',
     'x', 'FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF', '"text"', 'null', '<!-- c --><x/>', '''a'':1 ''fat'':2A,3B', '!!a <-> b', 'x',
     'comma,brace}', NULL, 'strict $.a'),
    (5, 'null', 'NULL', '{}', ' ', '  a', '{', 'x', 'y', NULL, 'null', '1e400', NULL, NULL, NULL, NULL, 'é', NULL, NULL);
INSERT INTO texts (id) VALUES (3);
INSERT INTO texts (id, a_text) VALUES (6, repeat('0123456789', 30));
-- stream
CALL again('texts');
ALTER TYPE mood ADD VALUE 'new';
INSERT INTO texts (id, a_mood) VALUES (7, 'new');
