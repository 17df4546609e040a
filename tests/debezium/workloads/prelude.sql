-- Inserts a table's rows once more, under other keys.
CREATE PROCEDURE again(name text) LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('CREATE TEMP TABLE again AS TABLE %I', name);
    UPDATE again SET id = id + 100;
    EXECUTE format('INSERT INTO %I SELECT * FROM again ORDER BY id', name);
    DROP TABLE again;
END $$;
