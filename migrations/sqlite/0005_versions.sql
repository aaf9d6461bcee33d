-- Who changed what [CANVAS-7], and published versions.

-- As of the snapshot's last row; written and read by whoever makes the snapshot.
ALTER TABLE canvas_snapshots ADD COLUMN authors BLOB;

CREATE TABLE workflow_versions (
    tenant_id BLOB NOT NULL,
    workflow_id BLOB NOT NULL,
    -- Counts from 1 within the workflow.
    number INTEGER NOT NULL,
    -- The last row of the canvas log that it holds.
    seq INTEGER NOT NULL,
    note TEXT NOT NULL,
    -- JSON is TEXT: it is kept as it was.
    diagram TEXT NOT NULL,
    -- Everybody who changed something since the version before.
    authors TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    created_by BLOB NOT NULL,
    PRIMARY KEY (tenant_id, workflow_id, number),
    FOREIGN KEY (tenant_id, workflow_id) REFERENCES workflows (tenant_id, id)
) STRICT;
