-- What is risked with a canvas, and those that are held back [REL-12].

CREATE TABLE canvas_troubles (
    tenant_id BLOB NOT NULL,
    workflow_id BLOB NOT NULL,
    -- The process that loads or compacts it. NULL: none does.
    process BLOB,
    -- How often that ended the process, or failed by what is in the canvas.
    failures INTEGER NOT NULL,
    -- NULL: it is not held back.
    reason TEXT,
    held_back_at INTEGER,
    -- As it was when it was held back, if it could be read, and the revision.
    diagram TEXT,
    seq INTEGER,
    PRIMARY KEY (tenant_id, workflow_id),
    FOREIGN KEY (tenant_id, workflow_id) REFERENCES workflows (tenant_id, id)
) STRICT;
CREATE INDEX canvas_troubles_process ON canvas_troubles (process);
