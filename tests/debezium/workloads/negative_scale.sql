CREATE TABLE negative_scale (id int PRIMARY KEY, a_numeric numeric(3,-2));
INSERT INTO negative_scale VALUES (1, 12345), (2, 0);
-- stream
CALL again('negative_scale');
