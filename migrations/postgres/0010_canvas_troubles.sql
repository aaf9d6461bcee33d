-- What is risked with a canvas, and those that are held back [REL-12].

CREATE TABLE canvas_troubles (
    tenant_id UUID NOT NULL,
    workflow_id UUID NOT NULL,
    -- The process that loads or compacts it. NULL: none does.
    process UUID,
    -- How often that ended the process, or failed by what is in the canvas.
    failures BIGINT NOT NULL,
    -- NULL: it is not held back.
    reason TEXT,
    held_back_at BIGINT,
    -- As it was when it was held back, if it could be read, and the revision.
    diagram TEXT,
    seq BIGINT,
    PRIMARY KEY (tenant_id, workflow_id),
    FOREIGN KEY (tenant_id, workflow_id) REFERENCES workflows (tenant_id, id)
);
CREATE INDEX canvas_troubles_process ON canvas_troubles (process);
SELECT troupe_isolate('canvas_troubles', 'SELECT');
