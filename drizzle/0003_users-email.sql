-- Operators look people up by it. IF NOT EXISTS: src/db/build-indexes.ts has made it already, without holding up writers.
CREATE INDEX IF NOT EXISTS "users_email" ON "users" USING btree (lower("email"));
