CREATE EXTENSION hstore;
CREATE EXTENSION citext;
CREATE TYPE mood AS ENUM ('sad', 'happy');
CREATE TABLE defaults (
    id int PRIMARY KEY, n_int2 int2 NOT NULL DEFAULT 2, n_int4 int4 NOT NULL DEFAULT -4, n_int8 int8 NOT NULL DEFAULT 8,
    n_float4 float4 NOT NULL DEFAULT 1.5, n_float8 float8 NOT NULL DEFAULT 2.5, n_bool bool NOT NULL DEFAULT true,
    n_text text NOT NULL DEFAULT 'it''s "text"', n_varchar varchar(9) NOT NULL DEFAULT 'v', n_char char(3) NOT NULL DEFAULT 'c',
    n_numeric numeric NOT NULL DEFAULT 1.5, n_numeric_10_2 numeric(10,2) NOT NULL DEFAULT 3.14, n_money money NOT NULL DEFAULT 1.5,
    n_date date NOT NULL DEFAULT '2020-01-02', n_time time NOT NULL DEFAULT '12:34:56', n_time_3 time(3) NOT NULL DEFAULT '12:34:56',
    n_timetz timetz NOT NULL DEFAULT '12:34:56+02', n_ts timestamp NOT NULL DEFAULT '2020-01-02 03:04:05.678901',
    n_ts_3 timestamp(3) NOT NULL DEFAULT '2020-01-02 03:04:05', n_tstz timestamptz NOT NULL DEFAULT '2020-01-02 03:04:05+00',
    n_interval interval NOT NULL DEFAULT '1 day', n_bytea bytea NOT NULL DEFAULT '\x00ff', n_bit bit NOT NULL DEFAULT '1',
    n_bit_3 bit(3) NOT NULL DEFAULT '101', n_varbit varbit(5) NOT NULL DEFAULT '101', n_uuid uuid NOT NULL
        DEFAULT 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', n_json json NOT NULL DEFAULT '{"a":1}', n_jsonb jsonb NOT NULL DEFAULT '{"a": 1}',
    n_xml xml NOT NULL DEFAULT '<a/>', n_inet inet NOT NULL DEFAULT '1.2.3.4', n_mood mood NOT NULL DEFAULT 'happy',
    n_hstore hstore NOT NULL DEFAULT 'a=>1', n_citext citext NOT NULL DEFAULT 'Ab', n_point point NOT NULL DEFAULT '(1,2)',
    n_int4range int4range NOT NULL DEFAULT '[1,2)', n_ints int[] NOT NULL DEFAULT '{1,2}', n_texts text[] NOT NULL DEFAULT '{a}',
    n_oid oid NOT NULL DEFAULT 7);
INSERT INTO defaults (id) VALUES (1);
CREATE TABLE nullable_defaults (
    id int PRIMARY KEY, d_int4 int4 DEFAULT 4, d_text text DEFAULT 'text', d_null text DEFAULT NULL, d_numeric numeric(5,1) DEFAULT 1.5,
    d_bool bool DEFAULT false, d_date date DEFAULT '2020-01-02', d_ts timestamp DEFAULT '2020-01-02 03:04:05', d_uuid uuid
        DEFAULT 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', d_jsonb jsonb DEFAULT '{}', d_bytea bytea DEFAULT '\x61', d_ints int[] DEFAULT '{}');
INSERT INTO nullable_defaults (id) VALUES (1);
INSERT INTO nullable_defaults VALUES (2, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
-- Whose value differs from row to row, so that the connector can't know it.
CREATE SEQUENCE numbers;
CREATE TABLE computed_defaults (
    id int PRIMARY KEY, n_seq int NOT NULL DEFAULT nextval('numbers'), n_now timestamp NOT NULL DEFAULT now(),
    n_nowtz timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP, n_date date NOT NULL DEFAULT CURRENT_DATE, n_user text NOT NULL
        DEFAULT CURRENT_USER, n_sum int NOT NULL DEFAULT 1 + 2, n_upper text NOT NULL DEFAULT upper('a'), n_random uuid NOT NULL
        DEFAULT gen_random_uuid(), d_now timestamp DEFAULT now(), n_identity int GENERATED ALWAYS AS IDENTITY, n_length int NOT NULL
        DEFAULT length('abc'), n_negative numeric(5,2) NOT NULL DEFAULT (-1.5), n_cast text NOT NULL DEFAULT ('a'::text || 'b'::text));
-- Without defaults.
CREATE TABLE not_null (
    id int PRIMARY KEY, n_int2 int2 NOT NULL, n_int4 int4 NOT NULL, n_int8 int8 NOT NULL, n_float4 float4 NOT NULL, n_float8 float8 NOT NULL,
    n_bool bool NOT NULL, n_text text NOT NULL, n_varchar varchar(9) NOT NULL, n_char char(3) NOT NULL, n_numeric numeric NOT NULL,
    n_numeric_10_2 numeric(10,2) NOT NULL, n_money money NOT NULL, n_date date NOT NULL, n_time time NOT NULL, n_time_3 time(3) NOT NULL,
    n_timetz timetz NOT NULL, n_ts timestamp NOT NULL, n_ts_3 timestamp(3) NOT NULL, n_tstz timestamptz NOT NULL, n_interval interval NOT NULL,
    n_bytea bytea NOT NULL, n_bit bit NOT NULL, n_bit_3 bit(3) NOT NULL, n_varbit varbit(5) NOT NULL, n_uuid uuid NOT NULL,
    n_json json NOT NULL, n_jsonb jsonb NOT NULL, n_xml xml NOT NULL, n_inet inet NOT NULL, n_mood mood NOT NULL, n_hstore hstore NOT NULL,
    n_citext citext NOT NULL, n_point point NOT NULL, n_int4range int4range NOT NULL, n_ints int[] NOT NULL, n_texts text[] NOT NULL,
    n_oid oid NOT NULL, n_box box NOT NULL, n_tsvector tsvector NOT NULL, n_cidr cidr NOT NULL, n_macaddr macaddr NOT NULL);
INSERT INTO not_null SELECT d.*, '(1,1),(0,0)', 'a', '10.0.0.0/8', '08:00:2b:01:02:03' FROM defaults d;
-- stream
INSERT INTO defaults (id) VALUES (2);
INSERT INTO nullable_defaults (id) VALUES (3);
UPDATE defaults SET n_int2 = 3 WHERE id = 1;
UPDATE not_null SET n_int2 = 3 WHERE id = 1;
UPDATE not_null SET id = 2 WHERE id = 1;
-- What stands in "before" of the columns that are not of the key and not null.
DELETE FROM defaults WHERE id = 1;
DELETE FROM nullable_defaults WHERE id = 1;
DELETE FROM not_null;
INSERT INTO computed_defaults (id, n_seq, n_now, n_nowtz, n_date, n_random, d_now)
    VALUES (1, 1, '2020-01-01', '2020-01-01+00', '2020-01-01', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '2020-01-01');
