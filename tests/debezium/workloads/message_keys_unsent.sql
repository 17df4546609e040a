CREATE TABLE default_identity (id int PRIMARY KEY, a text);
INSERT INTO default_identity VALUES (1, 'a');
-- stream
INSERT INTO default_identity VALUES (2, 'b');
UPDATE default_identity SET a = 'B' WHERE id = 2;
UPDATE default_identity SET id = 3 WHERE id = 2;
DELETE FROM default_identity WHERE id = 3;
