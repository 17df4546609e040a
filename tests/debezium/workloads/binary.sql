CREATE TABLE bits (
    id int PRIMARY KEY, a_bit bit, a_bit_1 bit(1), a_bit_2 bit(2), a_bit_5 bit(5), a_bit_8 bit(8), a_bit_9 bit(9), a_bit_32 bit(32),
    a_bit_33 bit(33), a_bit_64 bit(64), a_bit_70 bit(70), a_varbit varbit, a_varbit_1 varbit(1), a_varbit_9 varbit(9));
INSERT INTO bits VALUES
    (1, '1', '0', '10', '10110', '10000000', '100000000', B'1'::bit(32), B'1'::bit(33), B'1'::bit(64), B'1'::bit(70), '10101', '1', '1'),
    (2, '0', '1', '01', '00000', '00000000', '000000000', B''::bit(32), B''::bit(33), B''::bit(64), B''::bit(70), '', '', ''),
    (4, '1', '1', '11', '11111', '11111111', '111111111', ~B''::bit(32), ~B''::bit(33), ~B''::bit(64), ~B''::bit(70),
     repeat('01', 60)::varbit, '0', '101010101'),
    (5, '1', '1', '01', '00001', '00000001', '000000001', 1::bit(32), 1::bigint::bit(33), 1::bigint::bit(64),
     B'0' || 3::bigint::bit(69), '00000000', '1', '0000');
INSERT INTO bits (id) VALUES (3);
CREATE TABLE bytes (id int PRIMARY KEY, a_bytea bytea, a_bytea_not_null bytea NOT NULL);
INSERT INTO bytes VALUES (1, '\x00', '\x'), (2, '\x', '\x00'), (3, NULL, '\xff'), (4, '\xfffefdfbefbe3e3f', '\x0001'),
    (5, decode(repeat('00ff10', 50), 'hex'), '\x61626364'), (6, 'text\\', '\xfbff');
-- stream
CALL again('bits');
CALL again('bytes');
