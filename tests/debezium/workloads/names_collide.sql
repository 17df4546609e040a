CREATE TABLE collide (id int PRIMARY KEY, "a b" int, "a-b" int);
INSERT INTO collide VALUES (1, 1, 2);
-- stream
INSERT INTO collide VALUES (2, 1, 2);
