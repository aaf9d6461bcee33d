-- Snapshots and updates in parts: what is large is written by several transactions [SYNC-5].

-- A large update takes several rows: `part` counts from 0, and `seq` goes on. It is there when all its parts are.
ALTER TABLE canvas_updates ADD COLUMN part INTEGER NOT NULL DEFAULT 0;
ALTER TABLE canvas_updates ADD COLUMN parts INTEGER NOT NULL DEFAULT 1;

-- NULL: `bytes` is all of it. Otherwise what comes first; the parts follow. `crc` is of all together.
ALTER TABLE canvas_snapshots ADD COLUMN parts_id BLOB;

CREATE TABLE canvas_snapshot_parts (
    tenant_id BLOB NOT NULL,
    workflow_id BLOB NOT NULL,
    parts_id BLOB NOT NULL,
    part INTEGER NOT NULL,
    bytes BLOB NOT NULL,
    PRIMARY KEY (tenant_id, workflow_id, parts_id, part),
    FOREIGN KEY (tenant_id, workflow_id) REFERENCES workflows (tenant_id, id)
) STRICT;
