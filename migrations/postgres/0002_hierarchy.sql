-- Workspace → folder → job → workflow [HIER-1].
-- Foreign keys carry the tenant, so that no row can hang below another tenant's.
-- `created_by` has none: it still says who did it when the user is gone.

CREATE TABLE workspaces (
    tenant_id UUID NOT NULL REFERENCES tenants (id),
    id UUID NOT NULL,
    name TEXT NOT NULL,
    -- In lower case, in byte order: what lists are sorted and searched by, the same on both engines.
    name_folded TEXT COLLATE "C" NOT NULL,
    description TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    deleted_at BIGINT,
    PRIMARY KEY (tenant_id, id)
);
SELECT troupe_isolate('workspaces', 'SELECT, INSERT, UPDATE');

CREATE TABLE folders (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    workspace_id UUID NOT NULL,
    parent_id UUID,
    name TEXT NOT NULL,
    name_folded TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    deleted_at BIGINT,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, workspace_id) REFERENCES workspaces (tenant_id, id),
    FOREIGN KEY (tenant_id, parent_id) REFERENCES folders (tenant_id, id)
);
CREATE INDEX folders_workspace ON folders (tenant_id, workspace_id);
CREATE INDEX folders_parent ON folders (tenant_id, parent_id);
SELECT troupe_isolate('folders', 'SELECT, INSERT, UPDATE');

CREATE TABLE jobs (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    workspace_id UUID NOT NULL,
    folder_id UUID,
    name TEXT NOT NULL,
    name_folded TEXT COLLATE "C" NOT NULL,
    description TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    deleted_at BIGINT,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, workspace_id) REFERENCES workspaces (tenant_id, id),
    FOREIGN KEY (tenant_id, folder_id) REFERENCES folders (tenant_id, id)
);
CREATE INDEX jobs_workspace ON jobs (tenant_id, workspace_id);
CREATE INDEX jobs_folder ON jobs (tenant_id, folder_id);
SELECT troupe_isolate('jobs', 'SELECT, INSERT, UPDATE');

CREATE TABLE workflows (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    workspace_id UUID NOT NULL,
    folder_id UUID,
    job_id UUID,
    name TEXT NOT NULL,
    name_folded TEXT COLLATE "C" NOT NULL,
    description TEXT NOT NULL,
    parameters JSONB NOT NULL,
    tags JSONB NOT NULL,
    revision BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    created_by UUID NOT NULL,
    deleted_at BIGINT,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, workspace_id) REFERENCES workspaces (tenant_id, id),
    FOREIGN KEY (tenant_id, folder_id) REFERENCES folders (tenant_id, id),
    FOREIGN KEY (tenant_id, job_id) REFERENCES jobs (tenant_id, id)
);
CREATE INDEX workflows_workspace ON workflows (tenant_id, workspace_id);
CREATE INDEX workflows_folder ON workflows (tenant_id, folder_id);
CREATE INDEX workflows_job ON workflows (tenant_id, job_id);
CREATE INDEX workflows_updated_at ON workflows (tenant_id, updated_at, id);
SELECT troupe_isolate('workflows', 'SELECT, INSERT, UPDATE');
