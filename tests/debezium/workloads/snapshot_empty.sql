CREATE TABLE a_empty (id int PRIMARY KEY);
CREATE TABLE b_empty (id int PRIMARY KEY);
-- stream
INSERT INTO a_empty VALUES (1);
