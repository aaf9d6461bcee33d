-- Runs, their journal [RUN-3] and what is projected from it.
-- JSON is TEXT: what a run met is kept as it was.

CREATE TABLE runs (
    tenant_id BLOB NOT NULL,
    id BLOB NOT NULL,
    workflow_id BLOB NOT NULL,
    status TEXT NOT NULL,
    -- What started it [RUN-19].
    trigger TEXT NOT NULL,
    -- NULL: no person did.
    started_by BLOB,
    -- The immutable diagram that is executed [RUN-1].
    diagram TEXT NOT NULL,
    parameters TEXT NOT NULL,
    failure TEXT,
    created_at INTEGER NOT NULL,
    started_at INTEGER,
    finished_at INTEGER,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, workflow_id) REFERENCES workflows (tenant_id, id)
) STRICT;
CREATE INDEX runs_created_at ON runs (tenant_id, created_at, id);
CREATE INDEX runs_workflow ON runs (tenant_id, workflow_id, created_at, id);
CREATE INDEX runs_unfinished ON runs (created_at) WHERE status NOT IN ('success', 'error', 'canceled', 'timeout');

CREATE TABLE run_events (
    tenant_id BLOB NOT NULL,
    run_id BLOB NOT NULL,
    seq INTEGER NOT NULL,
    at INTEGER NOT NULL,
    event TEXT NOT NULL,
    PRIMARY KEY (tenant_id, run_id, seq),
    FOREIGN KEY (tenant_id, run_id) REFERENCES runs (tenant_id, id)
) STRICT;

CREATE TABLE node_runs (
    tenant_id BLOB NOT NULL,
    run_id BLOB NOT NULL,
    node_id TEXT NOT NULL,
    node_type TEXT NOT NULL,
    status TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    started_at INTEGER,
    finished_at INTEGER,
    duration_ms INTEGER NOT NULL,
    rows_in INTEGER NOT NULL,
    rows_out INTEGER NOT NULL,
    bytes_out INTEGER NOT NULL,
    outputs TEXT NOT NULL,
    failure TEXT,
    PRIMARY KEY (tenant_id, run_id, node_id),
    FOREIGN KEY (tenant_id, run_id) REFERENCES runs (tenant_id, id)
) STRICT;

CREATE TABLE run_logs (
    tenant_id BLOB NOT NULL,
    run_id BLOB NOT NULL,
    seq INTEGER NOT NULL,
    at INTEGER NOT NULL,
    level TEXT NOT NULL,
    node_id TEXT,
    message TEXT NOT NULL,
    PRIMARY KEY (tenant_id, run_id, seq),
    FOREIGN KEY (tenant_id, run_id) REFERENCES runs (tenant_id, id)
) STRICT;
