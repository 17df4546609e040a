CREATE TABLE simple (id int PRIMARY KEY, v text);
INSERT INTO simple VALUES (1, 'snapshot');
-- stream
INSERT INTO simple VALUES (2, 'stream');
SELECT pg_sleep(1.5);
INSERT INTO simple VALUES (3, 'stream');
