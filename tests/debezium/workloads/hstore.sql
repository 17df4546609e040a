CREATE EXTENSION hstore;
CREATE TABLE hstores (id int PRIMARY KEY, a_hstore hstore, a_not_null hstore NOT NULL, an_array hstore[]);
INSERT INTO hstores VALUES (1, 'a=>1,"b c"=>NULL', 'x=>y', ARRAY['a=>1', 'b=>NULL']::hstore[]), (2, '', '', '{}'), (3, NULL, 'a=>b', NULL),
    (4, '"quote\""=>"back\\slash","é"=>"中","null"=>"NULL","n"=>"1.5","comma,"=>"a=>b"', 'a=>""', NULL);
-- stream
CALL again('hstores');
