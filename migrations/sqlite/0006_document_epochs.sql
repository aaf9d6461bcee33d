-- Rebuilt documents [SYNC-15].

-- Grows by one each time the document is rebuilt without its past.
ALTER TABLE canvas_snapshots ADD COLUMN document_epoch INTEGER NOT NULL DEFAULT 0;
-- Who wrote in former epochs, by whoever rebuilt it: their copies are refused.
ALTER TABLE canvas_snapshots ADD COLUMN clients BLOB NOT NULL DEFAULT x'';
