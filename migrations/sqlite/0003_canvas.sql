-- Who owns an actor [SYNC-13], and the canvas log that only an owner may write [SYNC-5].

CREATE TABLE leases (
    tenant_id BLOB NOT NULL REFERENCES tenants (id),
    -- `workflow` or `run`.
    kind TEXT NOT NULL,
    id BLOB NOT NULL,
    -- NULL: held by nobody. The row stays, so that the epoch never goes back.
    server_id BLOB,
    epoch INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, kind, id)
) STRICT;
CREATE INDEX leases_server ON leases (server_id);

CREATE TABLE canvas_updates (
    tenant_id BLOB NOT NULL,
    workflow_id BLOB NOT NULL,
    seq INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    user_id BLOB,
    bytes BLOB NOT NULL,
    -- CRC-32 of `bytes`.
    crc INTEGER NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, workflow_id, seq),
    FOREIGN KEY (tenant_id, workflow_id) REFERENCES workflows (tenant_id, id)
) STRICT;

CREATE TABLE canvas_snapshots (
    tenant_id BLOB NOT NULL,
    workflow_id BLOB NOT NULL,
    -- The last log row that the snapshot holds.
    seq INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    bytes BLOB NOT NULL,
    crc INTEGER NOT NULL,
    -- Of the document, by whoever made the snapshot.
    hash BLOB NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, workflow_id),
    FOREIGN KEY (tenant_id, workflow_id) REFERENCES workflows (tenant_id, id)
) STRICT;
