CREATE TABLE network (id int PRIMARY KEY, a_inet inet, a_cidr cidr, a_macaddr macaddr, a_macaddr8 macaddr8);
INSERT INTO network VALUES (1, '192.168.1.5/24', '10.0.0.0/8', '08:00:2b:01:02:03', '08:00:2b:01:02:03:04:05'),
    (2, '1.2.3.4', '1.2.3.4/32', '00:00:00:00:00:00', '00:00:00:00:00:00:00:00'),
    (4, '::1', '2001:db8::/32', 'ff:ff:ff:ff:ff:ff', '08002b0102030405'), (5, '2001:db8::1/64', '::/0', NULL, NULL),
    (6, '::ffff:1.2.3.4', '0.0.0.0/0', NULL, NULL);
INSERT INTO network (id) VALUES (3);
CREATE TABLE geometry (id int PRIMARY KEY, a_point point, a_line line, a_lseg lseg, a_box box, a_path path, a_polygon polygon,
    a_circle circle);
INSERT INTO geometry VALUES
    (1, '(1.5,-2)', '{1,2,3}', '[(0,0),(1,1)]', '(2,2),(1,1)', '[(0,0),(1,1)]', '((0,0),(1,0),(1,1))', '<(1,2),3>'),
    (2, '(0,0)', '{-1,0.1,1e-7}', '[(0.5,0.25),(1,1)]', '(0,0),(0,0)', '((0,0),(1,1),(2,0))', '((0,0))', '<(0,-0.5),0>'),
    (4, '(1e300,-0)', '{1,0,0}', '[(1e20,1),(1,1e-20)]', '(1,2),(3,4)', '[(1,2)]', '((0.1,1e20),(3,3))', '<(1e20,0.1),1.5>');
INSERT INTO geometry (id) VALUES (3);
-- stream
CALL again('network');
CALL again('geometry');
