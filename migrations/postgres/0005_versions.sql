-- Who changed what [CANVAS-7], and published versions.

-- As of the snapshot's last row; written and read by whoever makes the snapshot.
ALTER TABLE canvas_snapshots ADD COLUMN authors BYTEA;

CREATE TABLE workflow_versions (
    tenant_id UUID NOT NULL,
    workflow_id UUID NOT NULL,
    -- Counts from 1 within the workflow.
    number BIGINT NOT NULL,
    -- The last row of the canvas log that it holds.
    seq BIGINT NOT NULL,
    note TEXT NOT NULL,
    -- JSON is TEXT here, not JSONB: it is kept as it was, also a NUL character, which JSONB refuses.
    diagram TEXT NOT NULL,
    -- Everybody who changed something since the version before.
    authors TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by UUID NOT NULL,
    PRIMARY KEY (tenant_id, workflow_id, number),
    FOREIGN KEY (tenant_id, workflow_id) REFERENCES workflows (tenant_id, id)
);
SELECT troupe_isolate('workflow_versions', 'SELECT');
