-- Runs, their journal [RUN-3] and what is projected from it.
-- JSON is TEXT here, not JSONB: what a run met is kept as it was, also a NUL character, which JSONB refuses.

CREATE TABLE runs (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    workflow_id UUID NOT NULL,
    status TEXT NOT NULL,
    -- What started it [RUN-19].
    trigger TEXT NOT NULL,
    -- NULL: no person did.
    started_by UUID,
    -- The immutable diagram that is executed [RUN-1].
    diagram TEXT NOT NULL,
    parameters TEXT NOT NULL,
    failure TEXT,
    created_at BIGINT NOT NULL,
    started_at BIGINT,
    finished_at BIGINT,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, workflow_id) REFERENCES workflows (tenant_id, id)
);
CREATE INDEX runs_created_at ON runs (tenant_id, created_at, id);
CREATE INDEX runs_workflow ON runs (tenant_id, workflow_id, created_at, id);
CREATE INDEX runs_unfinished ON runs (created_at) WHERE status NOT IN ('success', 'error', 'canceled', 'timeout');
SELECT troupe_isolate('runs', 'SELECT, INSERT');

CREATE TABLE run_events (
    tenant_id UUID NOT NULL,
    run_id UUID NOT NULL,
    seq BIGINT NOT NULL,
    at BIGINT NOT NULL,
    event TEXT NOT NULL,
    PRIMARY KEY (tenant_id, run_id, seq),
    FOREIGN KEY (tenant_id, run_id) REFERENCES runs (tenant_id, id)
);
SELECT troupe_isolate('run_events', 'SELECT');

CREATE TABLE node_runs (
    tenant_id UUID NOT NULL,
    run_id UUID NOT NULL,
    node_id TEXT NOT NULL,
    node_type TEXT NOT NULL,
    status TEXT NOT NULL,
    attempt BIGINT NOT NULL,
    started_at BIGINT,
    finished_at BIGINT,
    duration_ms BIGINT NOT NULL,
    rows_in BIGINT NOT NULL,
    rows_out BIGINT NOT NULL,
    bytes_out BIGINT NOT NULL,
    outputs TEXT NOT NULL,
    failure TEXT,
    PRIMARY KEY (tenant_id, run_id, node_id),
    FOREIGN KEY (tenant_id, run_id) REFERENCES runs (tenant_id, id)
);
SELECT troupe_isolate('node_runs', 'SELECT');

CREATE TABLE run_logs (
    tenant_id UUID NOT NULL,
    run_id UUID NOT NULL,
    seq BIGINT NOT NULL,
    at BIGINT NOT NULL,
    level TEXT NOT NULL,
    node_id TEXT,
    message TEXT NOT NULL,
    PRIMARY KEY (tenant_id, run_id, seq),
    FOREIGN KEY (tenant_id, run_id) REFERENCES runs (tenant_id, id)
);
SELECT troupe_isolate('run_logs', 'SELECT');
