CREATE TABLE numeric_infinity (id int PRIMARY KEY, a_numeric numeric);
INSERT INTO numeric_infinity VALUES (1, 1.5);
-- stream
INSERT INTO numeric_infinity VALUES (2, 'Infinity');
INSERT INTO numeric_infinity VALUES (3, '-Infinity');
INSERT INTO numeric_infinity VALUES (4, 2.5);
