-- The connector reads old values by the types that the table has by then, and ends.
CREATE TABLE changing (id int PRIMARY KEY, a text);
INSERT INTO changing VALUES (1, 'a');
-- stream
BEGIN;
INSERT INTO changing VALUES (2, 'b');
ALTER TABLE changing DROP COLUMN a;
ALTER TABLE changing ADD COLUMN a timestamp(3);
INSERT INTO changing VALUES (3, '2020-01-01');
COMMIT;
