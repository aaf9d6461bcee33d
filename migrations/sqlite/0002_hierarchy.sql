-- Workspace → folder → job → workflow [HIER-1].
-- Foreign keys carry the tenant, so that no row can hang below another tenant's.
-- `created_by` has none: it still says who did it when the user is gone.

CREATE TABLE workspaces (
    tenant_id BLOB NOT NULL REFERENCES tenants (id),
    id BLOB NOT NULL,
    name TEXT NOT NULL,
    -- In lower case, in byte order: what lists are sorted and searched by, the same on both engines.
    name_folded TEXT NOT NULL,
    description TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    deleted_at INTEGER,
    PRIMARY KEY (tenant_id, id)
) STRICT;

CREATE TABLE folders (
    tenant_id BLOB NOT NULL,
    id BLOB NOT NULL,
    workspace_id BLOB NOT NULL,
    parent_id BLOB,
    name TEXT NOT NULL,
    name_folded TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    deleted_at INTEGER,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, workspace_id) REFERENCES workspaces (tenant_id, id),
    FOREIGN KEY (tenant_id, parent_id) REFERENCES folders (tenant_id, id)
) STRICT;
CREATE INDEX folders_workspace ON folders (tenant_id, workspace_id);
CREATE INDEX folders_parent ON folders (tenant_id, parent_id);

CREATE TABLE jobs (
    tenant_id BLOB NOT NULL,
    id BLOB NOT NULL,
    workspace_id BLOB NOT NULL,
    folder_id BLOB,
    name TEXT NOT NULL,
    name_folded TEXT NOT NULL,
    description TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    deleted_at INTEGER,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, workspace_id) REFERENCES workspaces (tenant_id, id),
    FOREIGN KEY (tenant_id, folder_id) REFERENCES folders (tenant_id, id)
) STRICT;
CREATE INDEX jobs_workspace ON jobs (tenant_id, workspace_id);
CREATE INDEX jobs_folder ON jobs (tenant_id, folder_id);

CREATE TABLE workflows (
    tenant_id BLOB NOT NULL,
    id BLOB NOT NULL,
    workspace_id BLOB NOT NULL,
    folder_id BLOB,
    job_id BLOB,
    name TEXT NOT NULL,
    name_folded TEXT NOT NULL,
    description TEXT NOT NULL,
    parameters TEXT NOT NULL,
    tags TEXT NOT NULL,
    revision INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    created_by BLOB NOT NULL,
    deleted_at INTEGER,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, workspace_id) REFERENCES workspaces (tenant_id, id),
    FOREIGN KEY (tenant_id, folder_id) REFERENCES folders (tenant_id, id),
    FOREIGN KEY (tenant_id, job_id) REFERENCES jobs (tenant_id, id)
) STRICT;
CREATE INDEX workflows_workspace ON workflows (tenant_id, workspace_id);
CREATE INDEX workflows_folder ON workflows (tenant_id, folder_id);
CREATE INDEX workflows_job ON workflows (tenant_id, job_id);
CREATE INDEX workflows_updated_at ON workflows (tenant_id, updated_at, id);
