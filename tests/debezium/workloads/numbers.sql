CREATE TABLE numbers (
    id int PRIMARY KEY, a_bool bool, a_int2 int2, a_int4 int4, a_int8 int8, a_oid oid,
    a_float4 float4, a_float8 float8, a_money money,
    a_numeric numeric, a_numeric_10_2 numeric(10,2), a_numeric_5 numeric(5), a_numeric_38_10 numeric(38,10),
    a_numeric_3_5 numeric(3,5), a_decimal decimal(1,0));
INSERT INTO numbers VALUES
    (1, true, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0.001, 1),
    (2, false, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
    (4, true, -32768, -2147483648, -9223372036854775808, 4294967295, '-3.4028235e38', '-1.7976931348623157e308',
     '-92233720368547758.08', -1, -99999999.99, -99999, -9999999999999999999999999999.9999999999, -0.00999, -9),
    (5, true, 32767, 2147483647, 9223372036854775807, 2147483648, 3.4028235e38, 1.7976931348623157e308,
     '92233720368547758.07', 12345678901234567890.0123456789, 99999999.99, 99999,
     9999999999999999999999999999.9999999999, 0.00999, 9),
    (6, true, 127, 128, 255, 256, 1e-45, 4.9e-324, 12.3, 0.00, 0.01, 128, 0.0000000001, 0.00001, 5),
    (7, false, -128, -129, -256, 65536, 1.1, 0.1, -12.34, -0.000123, -1.27, -128, -0.5, -0.00128, -1),
    (8, false, 0, 0, 0, 0, 16777216, 123456789012345680, 1000000, 1e30, 1.28, 127, 1e-10, 0.00127, 0),
    (9, false, 0, 0, 0, 0, 1e21, 1e21, 0.01, 100, 2.55, 255, 10, 0.00255, 0),
    (10, false, 0, 0, 0, 0, 1e-7, 1e-7, -0.01, 1.50, 2.56, 256, 100.5, 0.00256, 0),
    (11, false, 0, 0, 0, 0, '-0', '-0', 0, 1e-30, 0.1, 0, 0, 0, 0),
    (12, false, 0, 0, 0, 0, 123456.79, 0.30000000000000004, 0, 10000, 0.1, 0, 0, 0, 0),
    (13, false, 0, 0, 0, 0, 0.001, 0.001, 0, 99999.9999, 0.1, 0, 0, 0, 0),
    (14, false, 0, 0, 0, 0, 1e7, 1e7, 0, 0.1, 0.1, 0, 0, 0, 0),
    (15, false, 0, 0, 0, 0, 9999999, 9999999, 0, 1e40, 0.1, 0, 0, 0, 0);
INSERT INTO numbers (id) VALUES (3);
-- Numbers that are none, apart: what the connector makes of them it says in its log.
CREATE TABLE not_finite (id int PRIMARY KEY, a_float4 float4, a_float8 float8);
INSERT INTO not_finite VALUES (1, 'NaN', 'NaN'), (2, 'Infinity', 'Infinity'), (3, '-Infinity', '-Infinity');
CREATE TABLE counters (id serial PRIMARY KEY, a_smallserial smallserial, a_bigserial bigserial);
INSERT INTO counters DEFAULT VALUES;
-- stream
CALL again('numbers');
CALL again('not_finite');
INSERT INTO counters DEFAULT VALUES;
