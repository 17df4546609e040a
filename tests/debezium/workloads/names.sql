CREATE TABLE "Mixed Case" (id int PRIMARY KEY, "A b" int, "1st" int, "dot.ted" int, "da-sh" int, "quote""d" int, "é" int, "中文" int, "$" int,
    "_x" int, "a/b" int, "it's" int, "tab	bed" int, "😀" int, "select" int);
INSERT INTO "Mixed Case" VALUES (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
CREATE TABLE "1 first" ("1 key" int, "second-key" int, v text, PRIMARY KEY ("1 key", "second-key"));
INSERT INTO "1 first" VALUES (1, 2, 'v');
CREATE TABLE "dot.ted" (id int PRIMARY KEY, v text);
INSERT INTO "dot.ted" VALUES (1, 'v');
CREATE TABLE "ünï中" (id int PRIMARY KEY, v text);
INSERT INTO "ünï中" VALUES (1, 'v');
CREATE TABLE "quote""d$/\" (id int PRIMARY KEY, v text);
INSERT INTO "quote""d$/\" VALUES (1, 'v');
CREATE SCHEMA "Odd Schema";
CREATE TABLE "Odd Schema"."t-1" (id int PRIMARY KEY, v text);
INSERT INTO "Odd Schema"."t-1" VALUES (1, 'v');
-- stream
INSERT INTO "Mixed Case" VALUES (2, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
DELETE FROM "Mixed Case" WHERE id = 1;
UPDATE "1 first" SET "second-key" = 3;
INSERT INTO "dot.ted" VALUES (2, 'v');
INSERT INTO "ünï中" VALUES (2, 'v');
INSERT INTO "quote""d$/\" VALUES (2, 'v');
INSERT INTO "Odd Schema"."t-1" VALUES (2, 'v');
