CREATE EXTENSION citext;
CREATE EXTENSION ltree;
CREATE EXTENSION hstore;
CREATE TYPE mood AS ENUM ('sad', 'so "happy"', 'comma,brace}');
CREATE TYPE pair AS (x int, y text);
CREATE DOMAIN positive AS int CHECK (VALUE > 0);
CREATE TABLE number_arrays (
    id int PRIMARY KEY, bools bool[], int2s int2[], int4s int4[], int8s int8[], float4s float4[], float8s float8[],
    numerics numeric[], numerics_10_2 numeric(10,2)[], oids oid[]);
INSERT INTO number_arrays VALUES
    (1, '{t,f,NULL}', '{1,NULL,-32768}', '{1,NULL,2147483647}', '{1,NULL,9223372036854775807}', '{0.1,NULL,1e20}', '{0.1,NULL,1e-7}',
     '{1.50,NULL,-2}', '{1.50,NULL,-2}', '{1,NULL,4294967295}'),
    (2, '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}'),
    (4, '{t}', '{1}', '{7}', '{7}', '{7}', '{7}', '{7}', '{7}', '{7}');
INSERT INTO number_arrays (id) VALUES (3);
CREATE TABLE text_arrays (
    id int PRIMARY KEY, texts text[], varchars varchar(5)[], chars char(3)[], uuids uuid[], jsons json[], jsonbs jsonb[], moods mood[],
    citexts citext[], ltrees ltree[], inets inet[], cidrs cidr[], macaddrs macaddr[], macaddr8s macaddr8[], hstores hstore[],
    tsvectors tsvector[], byteas bytea[]);
INSERT INTO text_arrays VALUES
    (1, '{a,"b c","d\"e",NULL,"NULL","","\\","{}",","}', '{ab,NULL}', '{a,NULL}', '{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11,NULL}',
     ARRAY['{"a": 1}', NULL]::json[], ARRAY['{"a": [1,2]}', NULL]::jsonb[], '{sad,"so \"happy\"","comma,brace}",NULL}', '{Ab,NULL}',
     '{a.b,NULL}', '{1.2.3.4/8,NULL}', '{10.0.0.0/8,NULL}', '{08:00:2b:01:02:03,NULL}', '{08:00:2b:01:02:03:04:05,NULL}',
     ARRAY['a=>1', NULL]::hstore[], ARRAY['''a'':1', NULL]::tsvector[], '{"\\x00ff",NULL}'),
    (2, '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}');
INSERT INTO text_arrays (id) VALUES (3);
CREATE TABLE time_arrays (
    id int PRIMARY KEY, dates date[], times time[], times_3 time(3)[], timetzs timetz[], timestamps timestamp[],
    timestamps_3 timestamp(3)[], timestamptzs timestamptz[]);
INSERT INTO time_arrays VALUES
    (1, '{2023-10-15,NULL}', '{12:34:56.789012,NULL}', '{12:34:56.789,NULL}', '{12:34:56.789+05:30,NULL}',
     '{2023-10-15 10:30:45.123456,NULL}', '{2023-10-15 10:30:45.123,NULL}', '{2023-10-15 10:30:45.123456+02,NULL}'),
    (2, '{}', '{}', '{}', '{}', '{}', '{}', '{}');
INSERT INTO time_arrays (id) VALUES (3);
CREATE TABLE range_arrays (id int PRIMARY KEY, int4ranges int4range[], numranges numrange[], tsranges tsrange[], tstzranges tstzrange[],
    dateranges daterange[], int8ranges int8range[]);
INSERT INTO range_arrays VALUES (1, '{"[1,3)",empty,NULL}', '{"[1.5,3)",NULL}', '{"[2024-01-01 00:00:00,)",NULL}',
    '{"[2024-01-01 00:00:00+00,)",NULL}', '{"[2024-01-01,2024-02-01)",NULL}', '{"[1,3)"}');
INSERT INTO range_arrays (id) VALUES (3);
-- Of which the connector makes nothing, or which it says it doesn't know.
CREATE TABLE other_arrays (
    id int PRIMARY KEY, monies money[], names name[], intervals interval[], bits bit(3)[], varbits varbit[], xmls xml[], points point[],
    boxes box[], refcursors refcursor[], pairs pair[], positives positive[], int4multiranges int4multirange[], qchars "char"[],
    tsqueries tsquery[], pg_lsns pg_lsn[], rest text);
INSERT INTO other_arrays VALUES (1, '{1.5}', '{n}', '{1 day}', '{101}', '{1}', '{<a/>}', '{"(1,2)"}', '{(2,2),(1,1)}', '{c}', '{"(1,x)"}',
    '{1}', '{"{[1,2)}"}', '{x}', '{a}', '{0/1}', 'rest');
INSERT INTO other_arrays (id) VALUES (2);
-- Nulls are what the connector does not read in some of them.
INSERT INTO text_arrays (id, moods, ltrees, tsvectors, citexts, hstores, inets) VALUES (4, '{sad,"so \"happy\""}', '{a.b,c}',
    ARRAY['''a'':1', 'b']::tsvector[], '{Ab}', ARRAY['a=>1', 'b=>NULL']::hstore[], '{1.2.3.4/8}');
-- stream
CALL again('number_arrays');
CALL again('text_arrays');
CALL again('time_arrays');
CALL again('range_arrays');
CALL again('other_arrays');
