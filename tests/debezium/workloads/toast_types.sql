CREATE DOMAIN long_text AS text;
CREATE TABLE toasted_types (
    id int PRIMARY KEY, n int, big text, a_numeric numeric, a_money_like numeric(100,2), byteas bytea[], varchars varchar(9)[],
    chars char(3)[], times time[], timestamps timestamp[], inets inet[], reals real[], oids oid[], int4ranges int4range[],
    a_path path, a_polygon polygon, a_char char(200), a_domain long_text, a_bit bit(900), a_bytea bytea)
    WITH (toast_tuple_target = 128);
DO $$
DECLARE col record;
BEGIN
    FOR col IN SELECT attname FROM pg_attribute WHERE attrelid = 'toasted_types'::regclass AND attnum > 2 LOOP
        EXECUTE format('ALTER TABLE toasted_types ALTER %I SET STORAGE EXTERNAL', col.attname);
    END LOOP;
END $$;
-- stream
INSERT INTO toasted_types SELECT 1, 1, repeat('t', 2100), repeat('1', 300)::numeric, (repeat('1', 98) || '.25')::numeric,
    array_agg('\xab'::bytea), array_agg('v'::varchar), array_agg('c'::char(3)), array_agg('01:02:03'::time), array_agg('2020-01-01 01:02:03'::timestamp),
    array_agg('10.0.0.1'::inet), array_agg(1.5::real), array_agg(7::oid), array_agg('[1,2)'::int4range),
    ('[' || repeat('(1,2),', 99) || '(1,2)]')::path, ('(' || repeat('(1,2),', 99) || '(1,2))')::polygon, 'c', repeat('d', 300),
    repeat('10', 450)::bit(900), decode(repeat('ab', 300), 'hex') FROM generate_series(1, 100);
UPDATE toasted_types SET n = 2;
