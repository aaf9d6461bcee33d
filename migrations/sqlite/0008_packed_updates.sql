-- Of several updates that one commit brought a workflow, one row: `seq` is the last one's, and `bytes` holds them all.
-- A row of one update is as before.
ALTER TABLE canvas_updates ADD COLUMN updates INTEGER NOT NULL DEFAULT 1;
