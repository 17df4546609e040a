CREATE TABLE ranges (id int PRIMARY KEY, a_int4range int4range, a_int8range int8range, a_numrange numrange, a_tsrange tsrange,
    a_tstzrange tstzrange, a_daterange daterange);
INSERT INTO ranges VALUES
    (1, '[1,10)', '[1,10]', '(1.5,2.50]', '["2024-01-01 00:00:00.5","2024-01-02 00:00:00")', '("2024-01-01 00:00:00+01",)',
     '[2024-01-01,2024-02-01)'),
    (2, 'empty', 'empty', 'empty', 'empty', 'empty', 'empty'),
    (4, '(,)', '(,7)', '(,1]', '[,infinity]', '[-infinity,infinity)', '(,infinity)');
INSERT INTO ranges (id) VALUES (3);
CREATE TABLE multiranges (id int PRIMARY KEY, a_int4multirange int4multirange, a_tstzmultirange tstzmultirange, rest text);
INSERT INTO multiranges VALUES (1, '{[1,3),[5,8)}', '{["2024-01-01 00:00:00+00","2024-01-02 00:00:00+00")}', 'x'), (2, '{}', '{}', 'y'),
    (3, NULL, NULL, NULL);
-- stream
CALL again('ranges');
CALL again('multiranges');
