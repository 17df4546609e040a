"""The largest table is read first, so that it is not begun when all others are done."""


def test_tables_are_begun_by_their_size_with_partitions_and_large_values(grounds):
    ground = grounds(source_snapshot_readers=1)
    ground.sql("""
        CREATE TABLE tiny (id int PRIMARY KEY, v text);
        INSERT INTO tiny SELECT i, 'v' FROM generate_series(1, 10) i;
        CREATE TABLE wide (id int PRIMARY KEY, v text);
        INSERT INTO wide SELECT i, repeat('x', 400) FROM generate_series(1, 2000) i;
        CREATE TABLE parted (id int, v text, PRIMARY KEY (id)) PARTITION BY RANGE (id);
        CREATE TABLE parted_small PARTITION OF parted FOR VALUES FROM (0) TO (100);
        CREATE TABLE parted_large PARTITION OF parted FOR VALUES FROM (100) TO (10000);
        INSERT INTO parted SELECT i, repeat('x', 800) FROM generate_series(1, 3000) i;
        CREATE TABLE documents (id int PRIMARY KEY, body text);
        ALTER TABLE documents ALTER body SET STORAGE EXTERNAL;
        INSERT INTO documents SELECT i, repeat('x', 100000) FROM generate_series(1, 100) i;""")
    with ground.capture() as capture:
        ground.wait_complete()
        capture.stop()
    begun = list(dict.fromkeys(m["source"]["table"] for m in ground.messages if m["op"] == "READ"))
    large = [name for name in begun if name not in ("tiny", "parted_small", "fence")]
    assert large == ["documents", "parted_large", "wide"]
    assert set(begun[:3]) == set(large), "before all that are small"
