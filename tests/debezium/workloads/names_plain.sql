CREATE TABLE "1 first" ("1 key" int, "second-key" int, "A b" int, "dot.ted" int, "quote""d" int, "a/b" int, "tab	bed" int, "_x" int,
    PRIMARY KEY ("1 key", "second-key"));
INSERT INTO "1 first" VALUES (1, 2, 3, 4, 5, 6, 7, 8);
-- stream
UPDATE "1 first" SET "second-key" = 3;
