-- Tenants, their users, and what keeps one tenant's rows from another [TEN-1].

-- Roles belong to the whole cluster: another database of it may have created this one already, or be doing so now.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'troupe_tenant') THEN
        CREATE ROLE troupe_tenant NOLOGIN;
    END IF;
EXCEPTION
    WHEN duplicate_object OR unique_violation THEN NULL;
END
$$;

DO $$
BEGIN
    IF NOT pg_has_role(CURRENT_USER, 'troupe_tenant', 'MEMBER') THEN
        GRANT troupe_tenant TO CURRENT_USER;
    END IF;
EXCEPTION
    WHEN unique_violation THEN NULL;
END
$$;

-- Locks a table to the transaction's tenant: `troupe_tenant` sees the rows of `troupe.tenant` and has `privileges`;
-- the owner, as which the server itself works, sees all. No tenant set means no rows.
CREATE FUNCTION troupe_isolate(isolated regclass, privileges text) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    own CONSTANT text := 'tenant_id = NULLIF(current_setting(''troupe.tenant'', true), '''')::uuid';
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', isolated);
    EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', isolated);
    EXECUTE format('CREATE POLICY system ON %s TO %I USING (true) WITH CHECK (true)', isolated, CURRENT_USER);
    EXECUTE format('CREATE POLICY tenant ON %s TO troupe_tenant USING (%s) WITH CHECK (%s)', isolated, own, own);
    EXECUTE format('GRANT %s ON %s TO troupe_tenant', privileges, isolated);
END
$$;

-- A control table: `troupe_tenant` has no privilege on it.
CREATE TABLE tenants (
    id UUID PRIMARY KEY,
    name TEXT NOT NULL,
    -- Wrapped by the server's master key; NULL until the tenant seals its first secret.
    data_key BYTEA,
    created_at BIGINT NOT NULL
);

CREATE TABLE users (
    tenant_id UUID NOT NULL REFERENCES tenants (id),
    id UUID NOT NULL,
    email TEXT NOT NULL,
    -- In lower case: unique over the server, because a login names no tenant.
    email_folded TEXT COLLATE "C" NOT NULL CONSTRAINT users_email_folded_key UNIQUE,
    name TEXT NOT NULL,
    name_folded TEXT COLLATE "C" NOT NULL,
    role TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
SELECT troupe_isolate('users', 'SELECT');

CREATE TABLE refresh_tokens (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    user_id UUID NOT NULL,
    family_id UUID NOT NULL,
    -- SHA-256 of the token; the token itself is nowhere.
    hash BYTEA NOT NULL CONSTRAINT refresh_tokens_hash_key UNIQUE,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    rotated_at BIGINT,
    revoked_at BIGINT,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id)
);
CREATE INDEX refresh_tokens_family ON refresh_tokens (tenant_id, family_id);
SELECT troupe_isolate('refresh_tokens', 'SELECT');
