-- Rebuilt documents [SYNC-15].

ALTER TABLE canvas_snapshots
    -- Grows by one each time the document is rebuilt without its past.
    ADD COLUMN document_epoch BIGINT NOT NULL DEFAULT 0,
    -- Who wrote in former epochs, by whoever rebuilt it: their copies are refused.
    ADD COLUMN clients BYTEA NOT NULL DEFAULT '\x';
