CREATE TABLE system_types (
    id int PRIMARY KEY, a_pg_lsn pg_lsn, a_txid_snapshot txid_snapshot, a_pg_snapshot pg_snapshot, a_regclass regclass, a_regtype regtype,
    a_regproc regproc, a_xid xid, a_xid8 xid8, a_cid cid, a_tid tid, a_int2vector int2vector, a_oidvector oidvector,
    a_refcursor refcursor, an_aclitem aclitem, rest text);
INSERT INTO system_types VALUES (1, '16/B374D848', '10:20:10,14,15', '10:20:10,14,15', 'pg_class', 'int4', 'pg_backend_pid', '7', '7', '7', '(0,1)',
    '1 2', '1 2', NULL, '=r/pg_monitor', 'rest');
INSERT INTO system_types (id) VALUES (3);
-- stream
CALL again('system_types');
-- The connector's snapshot would fetch from it, and fail.
INSERT INTO system_types (id, a_refcursor) VALUES (4, 'c');
