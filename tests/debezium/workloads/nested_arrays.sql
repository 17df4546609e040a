CREATE TABLE nested_arrays (id int PRIMARY KEY, int4s int4[], texts text[]);
INSERT INTO nested_arrays VALUES (1, '{1,2}', '{a}');
-- stream
INSERT INTO nested_arrays VALUES (2, '[0:1]={1,2}', '{b}');
INSERT INTO nested_arrays VALUES (3, '{{1,2},{3,4}}', '{{a,b},{c,d}}');
INSERT INTO nested_arrays VALUES (4, '{3}', '{c}');
