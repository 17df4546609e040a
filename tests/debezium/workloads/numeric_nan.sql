CREATE TABLE numeric_nan (id int PRIMARY KEY, a_numeric numeric, a_numeric_10_2 numeric(10,2));
INSERT INTO numeric_nan VALUES (1, 1.5, 1.5), (2, 'NaN', 1), (3, 1, 'NaN');
-- stream
CALL again('numeric_nan');
