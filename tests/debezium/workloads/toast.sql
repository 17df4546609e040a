CREATE EXTENSION hstore;
CREATE TYPE mood AS ENUM ('sad', 'happy');
CREATE TABLE toasted (
    id int PRIMARY KEY, n int, a_text text, a_varchar varchar, a_bytea bytea, a_json json, a_jsonb jsonb, a_xml xml, a_hstore hstore,
    a_numeric numeric, ints int[], bigints int8[], texts text[], uuids uuid[], dates date[], timestamptzs timestamptz[], numerics numeric[],
    floats float8[], a_varbit varbit, a_tsvector tsvector, n_text text NOT NULL DEFAULT 'd', bools bool[], smallints int2[], jsons jsonb[],
    moods mood[], a_citext_like name);
DO $$
DECLARE col record;
BEGIN
    FOR col IN SELECT attname FROM pg_attribute WHERE attrelid = 'toasted'::regclass AND attnum > 2 AND attlen = -1 LOOP
        EXECUTE format('ALTER TABLE toasted ALTER %I SET STORAGE EXTERNAL', col.attname);
    END LOOP;
EXCEPTION WHEN feature_not_supported THEN NULL;
END $$;
ALTER TABLE toasted ALTER a_numeric SET STORAGE MAIN;
CREATE TABLE toasted_full (LIKE toasted INCLUDING ALL);
ALTER TABLE toasted_full REPLICA IDENTITY FULL;
CREATE TABLE toasted_key (id text, n int, v text, PRIMARY KEY (id));
ALTER TABLE toasted_key ALTER v SET STORAGE EXTERNAL;
-- stream
INSERT INTO toasted SELECT 1, 1, repeat('t', 2100), repeat('v', 2100), decode(repeat('ab', 2100), 'hex'),
    to_json(repeat('j', 2100)), to_jsonb(repeat('b', 2100)), ('<a>' || repeat('x', 2100) || '</a>')::xml, hstore('k', repeat('h', 2100)),
    repeat('1', 200)::numeric, array_agg(1), array_agg(1::int8), array_agg('x'::text), array_agg('a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid),
    array_agg('2020-01-01'::date), array_agg('2020-01-01 00:00+00'::timestamptz), array_agg(1.5), array_agg(1.5::float8),
    repeat('10', 9000)::varbit, (SELECT string_agg('w' || i, ' ')::tsvector FROM generate_series(1, 500) i), repeat('n', 2100)
    FROM generate_series(1, 600);
UPDATE toasted SET bools = array_fill(true, ARRAY[2100]), smallints = array_fill(1::int2, ARRAY[1100]),
    jsons = array_fill('{}'::jsonb, ARRAY[200]), moods = array_fill('sad'::mood, ARRAY[600]);
UPDATE toasted SET n = 2;
UPDATE toasted SET a_text = 'short';
UPDATE toasted SET id = 2;
DELETE FROM toasted;
INSERT INTO toasted_full (id, n, a_text, a_bytea) VALUES (1, 1, repeat('t', 2100), decode(repeat('ab', 2100), 'hex'));
UPDATE toasted_full SET n = 2;
UPDATE toasted_full SET id = 2;
DELETE FROM toasted_full;
INSERT INTO toasted_key VALUES ('a', 1, repeat('v', 2100));
UPDATE toasted_key SET n = 2;
UPDATE toasted_key SET id = 'b';
DELETE FROM toasted_key;
