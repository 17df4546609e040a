CREATE TABLE dates (id int PRIMARY KEY, a_date date, a_date_not_null date NOT NULL);
INSERT INTO dates VALUES (1, '2023-10-15', '1970-01-01'), (2, '0001-01-01', '2000-02-29'), (3, NULL, '9999-12-31'),
    (4, '0001-12-31 BC', '1969-12-31'), (5, '4713-01-01 BC', '10000-01-01'), (6, '5874897-12-31', '1582-10-04'),
    (7, 'infinity', '1582-10-15'), (8, '-infinity', '1900-01-01');
CREATE TABLE times (
    id int PRIMARY KEY, a_time time, a_time_0 time(0), a_time_1 time(1), a_time_2 time(2), a_time_3 time(3), a_time_4 time(4),
    a_time_5 time(5), a_time_6 time(6), a_timetz timetz, a_timetz_0 timetz(0), a_timetz_3 timetz(3));
INSERT INTO times SELECT id, t, t, t, t, t, t, t, t, z, z, z FROM (VALUES
    (1, '12:34:56.789012', '12:34:56.789012+05:30'), (2, '00:00', '00:00+00'), (3, NULL, NULL),
    (4, '23:59:59', '23:59:59-11'), (5, '01:02:03.1', '23:30-01:02:03'), (6, '04:05:06.000001', '12:00+15:59')
    ) v(id, a, b), LATERAL (SELECT a::time t, b::timetz z) w;
CREATE TABLE midnight (id int PRIMARY KEY, a_time time, a_time_3 time(3), a_timetz timetz);
INSERT INTO midnight VALUES (1, '24:00', '24:00', '24:00+00'), (2, '23:59:59.999999', '23:59:59.9999', '23:59:59.999999-15:59');
CREATE TABLE timestamps (
    id int PRIMARY KEY, a_ts timestamp, a_ts_0 timestamp(0), a_ts_1 timestamp(1), a_ts_2 timestamp(2), a_ts_3 timestamp(3),
    a_ts_4 timestamp(4), a_ts_5 timestamp(5), a_ts_6 timestamp(6), a_tstz timestamptz, a_tstz_0 timestamptz(0),
    a_tstz_1 timestamptz(1), a_tstz_3 timestamptz(3), a_tstz_6 timestamptz(6));
INSERT INTO timestamps SELECT id, t, t, t, t, t, t, t, t, z, z, z, z, z FROM (VALUES
    (1, '2023-10-15 10:30:45.123456', '2023-10-15 10:30:45.123456+02'), (2, '1970-01-01', '1970-01-01+00'), (3, NULL, NULL),
    (4, '1969-12-31 23:59:59.999999', '1969-12-31 23:59:59.999999+00'), (5, '0001-01-01', '0001-01-01 00:00+00'),
    (6, '9999-12-31 23:59:59', '9999-12-31 23:59:59+00'), (7, '1582-10-10 12:00', '1582-10-10 12:00+00'),
    (8, '2024-02-29 12:00:00.1', '2024-02-29 12:00:00.1+00'), (9, '1900-01-01 00:00:00.000001', '1900-01-01 00:00:00.000001+00'),
    (10, '2262-04-11 23:47:16', '2262-04-11 23:47:16+00')
    ) v(id, a, b), LATERAL (SELECT a::timestamp t, b::timestamptz z) w;
-- Far from today, apart.
CREATE TABLE far (id int PRIMARY KEY, a_ts timestamp, a_ts_3 timestamp(3), a_tstz timestamptz);
INSERT INTO far VALUES (1, '0044-03-15 12:00 BC', '0044-03-15 12:00 BC', '0044-03-15 12:00+00 BC'),
    (2, '4713-01-01 BC', '4713-01-01 BC', '4713-01-02 00:00+00 BC'), (3, '10000-01-01', '10000-01-01', '10000-01-01 00:00+00');
CREATE TABLE infinite (id int PRIMARY KEY, a_ts timestamp, a_ts_3 timestamp(3), a_tstz timestamptz);
INSERT INTO infinite VALUES (1, 'infinity', 'infinity', 'infinity'), (2, '-infinity', '-infinity', '-infinity');
-- stream
CALL again('dates');
CALL again('times');
CALL again('midnight');
CALL again('timestamps');
CALL again('far');
CALL again('infinite');
