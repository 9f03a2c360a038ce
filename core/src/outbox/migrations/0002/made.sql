-- When an envelope was made, ms UTC: how long the oldest one waits. Those of
-- version 1 do not know it.
ALTER TABLE envelope ADD COLUMN made_ms INTEGER;
