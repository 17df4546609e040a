CREATE TABLE rekeyed (id int PRIMARY KEY, other int NOT NULL, v text);
INSERT INTO rekeyed VALUES (1, 1, 'v');
CREATE TABLE renamed (id int PRIMARY KEY, v text);
INSERT INTO renamed VALUES (1, 'v');
-- stream
INSERT INTO rekeyed VALUES (2, 2, 'v');
SELECT pg_sleep(3);
ALTER TABLE rekeyed DROP CONSTRAINT rekeyed_pkey;
ALTER TABLE rekeyed ADD PRIMARY KEY (other);
SELECT pg_sleep(1);
INSERT INTO rekeyed VALUES (3, 3, 'v');
DELETE FROM rekeyed WHERE other = 2;
ALTER TABLE renamed RENAME TO renamed_away;
INSERT INTO renamed_away VALUES (2, 'v');
