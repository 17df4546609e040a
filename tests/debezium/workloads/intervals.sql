CREATE TABLE intervals (id int PRIMARY KEY, a_interval interval, a_interval_0 interval(0), a_interval_3 interval(3),
    a_year interval year, a_day_second interval day to second(2), a_not_null interval NOT NULL);
INSERT INTO intervals SELECT id, i, i, i, i, i, coalesce(i, '0') FROM (VALUES
    (1, '1 year 2 mons 3 days 04:05:06.789012'::interval), (2, '0'), (3, NULL), (4, '-1 year +2 days -00:00:00.000001'),
    (5, '1 mon -1 day'), (6, '-23:59:59.5'), (7, '1000000 hours'), (8, '13 mons'), (9, '-5 days'), (10, '1 day'),
    (11, '00:00:00.000001'), (12, '100 years'), (13, '-1 mon'), (14, '00:00:10'), (15, '-10 years -3 mons')) v(id, i);
-- stream
CALL again('intervals');
