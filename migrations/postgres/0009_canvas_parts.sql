-- Snapshots and updates in parts: what is large is written by several transactions [SYNC-5].

-- A large update takes several rows: `part` counts from 0, and `seq` goes on. It is there when all its parts are.
ALTER TABLE canvas_updates ADD COLUMN part BIGINT NOT NULL DEFAULT 0;
ALTER TABLE canvas_updates ADD COLUMN parts BIGINT NOT NULL DEFAULT 1;

-- NULL: `bytes` is all of it. Otherwise what comes first; the parts follow. `crc` is of all together.
ALTER TABLE canvas_snapshots ADD COLUMN parts_id UUID;

CREATE TABLE canvas_snapshot_parts (
    tenant_id UUID NOT NULL,
    workflow_id UUID NOT NULL,
    parts_id UUID NOT NULL,
    part BIGINT NOT NULL,
    bytes BYTEA NOT NULL,
    PRIMARY KEY (tenant_id, workflow_id, parts_id, part),
    FOREIGN KEY (tenant_id, workflow_id) REFERENCES workflows (tenant_id, id)
);
ALTER TABLE canvas_snapshot_parts ALTER COLUMN bytes SET STORAGE EXTERNAL;
SELECT troupe_isolate('canvas_snapshot_parts', 'SELECT');
