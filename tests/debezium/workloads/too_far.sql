-- What no 64-bit number of microseconds holds: the connector wraps around.
CREATE TABLE too_far (id int PRIMARY KEY, a_ts timestamp, a_ts_3 timestamp(3), a_tstz timestamptz);
INSERT INTO too_far VALUES (1, '2024-01-01', '2024-01-01', '2024-01-01 00:00+00');
-- stream
INSERT INTO too_far VALUES (2, '294276-12-31 23:59:59.999999', '294276-12-31 23:59:59', '294276-12-31 23:59:59.999999+00');
INSERT INTO too_far VALUES (3, '2024-01-01', '2024-01-01', '2024-01-01 00:00+00');
