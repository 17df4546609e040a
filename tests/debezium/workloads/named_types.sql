CREATE EXTENSION citext;
CREATE TYPE mood AS ENUM ('sad', 'happy');
CREATE TYPE pair AS (x int, y text);
CREATE DOMAIN d_int AS int CHECK (VALUE > 0);
CREATE DOMAIN d_text AS text;
CREATE DOMAIN d_varchar AS varchar(10);
CREATE DOMAIN d_numeric AS numeric(10,2);
CREATE DOMAIN d_numeric_free AS numeric;
CREATE DOMAIN d_timestamp AS timestamp(3);
CREATE DOMAIN d_time AS time(3);
CREATE DOMAIN d_bytea AS bytea;
CREATE DOMAIN d_bit AS bit(3);
CREATE DOMAIN d_bool AS bool NOT NULL DEFAULT true;
CREATE DOMAIN d_mood AS mood;
CREATE DOMAIN d_uuid AS uuid;
CREATE DOMAIN d_jsonb AS jsonb;
CREATE DOMAIN d_interval AS interval;
CREATE DOMAIN d_of_domain AS d_numeric;
CREATE DOMAIN d_int_array AS int[];
CREATE DOMAIN d_pair AS pair;
CREATE TABLE domains (
    id int PRIMARY KEY, a_int d_int, a_text d_text, a_varchar d_varchar, a_numeric d_numeric, a_numeric_free d_numeric_free,
    a_timestamp d_timestamp, a_time d_time, a_bytea d_bytea, a_bit d_bit, a_bool d_bool, a_mood d_mood, a_uuid d_uuid, a_jsonb d_jsonb,
    a_interval d_interval, a_of_domain d_of_domain);
INSERT INTO domains VALUES (1, 1, 'text', 'varchar', 1.5, 1.50, '2023-10-15 10:30:45.123456', '12:34:56.789', '\x00ff', '101', false, 'sad',
    'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '{"a":1}', '1 day', 2.5);
INSERT INTO domains (id) VALUES (2);
CREATE TABLE composites (id int PRIMARY KEY, a_pair pair, a_domain d_pair, an_array d_int_array, rest text);
INSERT INTO composites VALUES (1, '(1,x)', '(2,y)', '{1,2}', 'rest'), (2, NULL, NULL, NULL, NULL);
-- stream
CALL again('domains');
CALL again('composites');
