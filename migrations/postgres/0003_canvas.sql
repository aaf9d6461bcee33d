-- Who owns an actor [SYNC-13], and the canvas log that only an owner may write [SYNC-5].

CREATE TABLE leases (
    tenant_id UUID NOT NULL REFERENCES tenants (id),
    -- `workflow` or `run`.
    kind TEXT NOT NULL,
    id UUID NOT NULL,
    -- NULL: held by nobody. The row stays, so that the epoch never goes back.
    server_id UUID,
    epoch BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, kind, id)
);
CREATE INDEX leases_server ON leases (server_id);
SELECT troupe_isolate('leases', 'SELECT');

CREATE TABLE canvas_updates (
    tenant_id UUID NOT NULL,
    workflow_id UUID NOT NULL,
    seq BIGINT NOT NULL,
    epoch BIGINT NOT NULL,
    user_id UUID,
    bytes BYTEA NOT NULL,
    -- CRC-32 of `bytes`.
    crc BIGINT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, workflow_id, seq),
    FOREIGN KEY (tenant_id, workflow_id) REFERENCES workflows (tenant_id, id)
);
-- Updates are compressed by their encoding already.
ALTER TABLE canvas_updates ALTER COLUMN bytes SET STORAGE EXTERNAL;
SELECT troupe_isolate('canvas_updates', 'SELECT');

CREATE TABLE canvas_snapshots (
    tenant_id UUID NOT NULL,
    workflow_id UUID NOT NULL,
    -- The last log row that the snapshot holds.
    seq BIGINT NOT NULL,
    epoch BIGINT NOT NULL,
    bytes BYTEA NOT NULL,
    crc BIGINT NOT NULL,
    -- Of the document, by whoever made the snapshot.
    hash BYTEA NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, workflow_id),
    FOREIGN KEY (tenant_id, workflow_id) REFERENCES workflows (tenant_id, id)
);
ALTER TABLE canvas_snapshots ALTER COLUMN bytes SET STORAGE EXTERNAL;
SELECT troupe_isolate('canvas_snapshots', 'SELECT');
