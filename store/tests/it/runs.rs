//! [RUN-3, RUN-13] Runs: the journal comes back as it was written, under the lease's epoch only.

use serde_json::{Map, json};
use troupe_model::{
    Diagram, LogEntry, LogLevel, NodeFailure, NodeMetrics, NodeStatus, Output, Payload, RunEvent, RunEventKind, RunId,
    RunStatus, ServerId, WorkflowId,
};
use troupe_store::{
    Error, PageRequest,
    leases::{self, LeaseKind},
    runs::{self, LogFilter, NewRun, NodeRunRow, RunBatch, RunFilter},
    workflows,
};

use crate::fixture::{Db, TTL, Tenant, at, both_engines, new_run};

both_engines! {
    a_run_keeps_its_diagram_and_parameters,
    a_run_needs_a_workflow,
    a_node_id_that_no_row_could_hold_is_refused_at_once,
    the_journal_comes_back_as_it_was_written,
    projections_follow_the_journal,
    a_stale_epoch_journals_nothing,
    an_event_is_journaled_once,
    a_long_journal_goes_in_one_batch,
    abandoned_runs_are_found_until_their_end,
    runs_without_an_owner_are_found,
    runs_are_filtered,
    logs_are_found_by_node_level_and_text,
    a_line_is_kept_once_and_whatever_it_holds,
}

fn batch<'a>(tenant: &Tenant, run: RunId, epoch: i64, events: &'a [RunEvent]) -> RunBatch<'a> {
    RunBatch {
        tenant: tenant.id,
        run,
        epoch,
        events,
        status: None,
        started_at: None,
        finished_at: None,
        failure: None,
        node_runs: &[],
    }
}

async fn journal(db: &Db, batch: RunBatch<'_>) -> Result<bool, Error> {
    let mut tx = db.store.begin_system().await.unwrap();
    let written = runs::append_events(&mut tx, &batch).await?;
    tx.commit().await.unwrap();
    Ok(written)
}

async fn events(db: &Db, tenant: &Tenant, run: RunId) -> Vec<RunEvent> {
    runs::events(&mut db.store.read(tenant.id).await.unwrap(), run, 0, i64::MAX).await.unwrap()
}

fn event(seq: i64, kind: RunEventKind) -> RunEvent {
    RunEvent { seq, at: at(seq), kind }
}

fn failure() -> NodeFailure {
    NodeFailure::new("file_not_found", "no such file: a\0b").reason("who knows").solution("look elsewhere").retryable()
}

fn output() -> Output {
    Output { port: "out".to_owned(), payload: Payload::Json { value: json!({ "nul": "\0", "n": [1.5, null] }) } }
}

const METRICS: NodeMetrics = NodeMetrics { duration_ms: 12, rows_in: 3, rows_out: 2, bytes_out: u64::MAX >> 1 };

fn node_run(node: &str, status: NodeStatus) -> NodeRunRow {
    NodeRunRow {
        node: node.to_owned(),
        node_type: "filter".to_owned(),
        status,
        attempt: 1,
        started_at: Some(at(1)),
        finished_at: None,
        metrics: METRICS,
        outputs: vec![output()],
        failure: Some(failure()),
    }
}

/// [RUN-1] The run has its own copy, to the letter.
async fn a_run_keeps_its_diagram_and_parameters(db: &Db) {
    let tenant = db.tenant("acme").await;
    let diagram: Diagram = serde_json::from_value(json!({
        "nodes": [{ "id": "a", "position": { "x": 1.5, "y": -2 },
            "data": { "nodeType": "filter", "config": { "z": 1, "a": "nul \0 and ü", "expression": "x > 1" } } }],
        "edges": [{ "id": "e", "source": "a", "target": "a" }],
    }))
    .unwrap();
    let parameters = Map::from_iter([("since".to_owned(), json!("2013")), ("a".to_owned(), json!([1, null]))]);
    let new = NewRun {
        diagram: &diagram,
        parameters: &parameters,
        started_by: Some(tenant.owner.id),
        ..new_run(RunId::generate(), tenant.workflow, 5)
    };
    let mut tx = db.store.begin(tenant.id).await.unwrap();
    let created = runs::create(&mut tx, new).await.unwrap();
    let found = runs::find(&mut tx, new.id).await.unwrap().unwrap();
    assert_eq!(found, created);
    assert_eq!((found.status, found.trigger.as_str(), found.created_at), (RunStatus::New, "manual", at(5)));
    assert_eq!((found.started_by, &found.parameters), (Some(tenant.owner.id), &parameters));
    assert_eq!((found.started_at, found.finished_at, found.failure), (None, None, None));
    assert_eq!(runs::diagram(&mut tx, new.id).await.unwrap(), Some(diagram));
    assert_eq!(runs::diagram(&mut tx, RunId::generate()).await.unwrap(), None);
    assert_eq!(runs::find(&mut tx, RunId::generate()).await.unwrap(), None);
}

/// Later it would be the journal that fails, and the run would never end.
async fn a_node_id_that_no_row_could_hold_is_refused_at_once(db: &Db) {
    let tenant = db.tenant("acme").await;
    let node = json!({ "id": "a\0", "data": { "nodeType": "filter" } });
    let diagram = Diagram { nodes: vec![serde_json::from_value(node).unwrap()], ..Default::default() };
    let new = NewRun { diagram: &diagram, ..new_run(RunId::generate(), tenant.workflow, 0) };
    let refused = runs::create(&mut db.store.begin(tenant.id).await.unwrap(), new).await;
    assert!(matches!(refused, Err(Error::NulCharacter)), "{refused:?}");
}

async fn a_run_needs_a_workflow(db: &Db) {
    let tenant = db.tenant("acme").await;
    let mut tx = db.store.begin(tenant.id).await.unwrap();
    assert!(workflows::delete(&mut tx, tenant.workflow, at(1)).await.unwrap());
    for workflow in [tenant.workflow, WorkflowId::generate()] {
        let refused = runs::create(&mut tx, new_run(RunId::generate(), workflow, 0)).await;
        assert!(matches!(refused, Err(Error::NoSuchParent)), "{refused:?}");
    }
}

/// [RUN-3] Every kind of event, in order, page by page; a NUL in what a node met stops no journal.
async fn the_journal_comes_back_as_it_was_written(db: &Db) {
    let tenant = db.tenant("acme").await;
    let run = db.run(&tenant, 0).await;
    let epoch = db.own_run(&tenant, run).await;
    let node = || "a".to_owned();
    let kinds = [
        RunEventKind::RunStarted,
        RunEventKind::NodeStarted { node: node(), attempt: 1 },
        RunEventKind::NodeWaiting { node: node(), until: at(99), outputs: vec![output()], metrics: METRICS },
        RunEventKind::NodeCompleted { node: node(), outputs: vec![output()], metrics: METRICS },
        RunEventKind::NodeFailed { node: node(), failure: failure(), metrics: METRICS },
        RunEventKind::NodeRetrying { node: node(), attempt: 2, due: at(5), failure: failure() },
        RunEventKind::NodeSkipped { node: node() },
        RunEventKind::NodeCanceled { node: node() },
        RunEventKind::CancelRequested { by: Some(tenant.owner.id) },
        RunEventKind::RunPaused,
        RunEventKind::RunResumed,
        RunEventKind::RunCompleted,
        RunEventKind::RunFailed { failure: failure() },
        RunEventKind::RunCanceled,
        RunEventKind::RunTimedOut,
    ];
    let written: Vec<_> = (1..).zip(kinds).map(|(seq, kind)| event(seq, kind)).collect();
    for events in [&written[..4], &written[4..]] {
        assert!(journal(db, batch(&tenant, run, epoch, events)).await.unwrap());
    }
    assert_eq!(events(db, &tenant, run).await, written);

    let mut tx = db.store.read(tenant.id).await.unwrap();
    assert_eq!(runs::events(&mut tx, run, 3, 2).await.unwrap(), &written[3..5]);
    assert_eq!(runs::events(&mut tx, run, 15, 2).await.unwrap(), []);
    drop(tx);
    let mut tx = db.store.read_system().await.unwrap();
    assert_eq!(runs::last_event_seq(&mut tx, tenant.id, run).await.unwrap(), 15);
    assert_eq!(runs::last_event_seq(&mut tx, tenant.id, RunId::generate()).await.unwrap(), 0);
}

/// [RUN-3] The run's and its nodes' rows are written with the events; what a batch does not name stays.
async fn projections_follow_the_journal(db: &Db) {
    let tenant = db.tenant("acme").await;
    let run = db.run(&tenant, 0).await;
    let epoch = db.own_run(&tenant, run).await;
    let find = async || runs::find(&mut db.store.read(tenant.id).await.unwrap(), run).await.unwrap().unwrap();
    let node_runs =
        async || runs::node_runs_after(&mut db.store.read(tenant.id).await.unwrap(), run, "", i64::MAX).await.unwrap();

    let rows = [node_run("b", NodeStatus::Running), node_run("a", NodeStatus::Pending)];
    let started = RunBatch {
        status: Some(RunStatus::Running),
        started_at: Some(at(1)),
        node_runs: &rows,
        ..batch(&tenant, run, epoch, &[])
    };
    assert!(journal(db, started).await.unwrap());
    assert_eq!((find().await.status, find().await.started_at), (RunStatus::Running, Some(at(1))));
    assert_eq!(node_runs().await, [rows[1].clone(), rows[0].clone()]);

    let done = NodeRunRow { finished_at: Some(at(2)), outputs: vec![], failure: None, attempt: 3, ..rows[1].clone() };
    let ended = RunBatch {
        status: Some(RunStatus::Error),
        finished_at: Some(at(2)),
        failure: Some(&failure()),
        node_runs: std::slice::from_ref(&done),
        ..batch(&tenant, run, epoch, &[])
    };
    assert!(journal(db, ended).await.unwrap());
    let row = find().await;
    assert_eq!((row.status, row.started_at, row.finished_at), (RunStatus::Error, Some(at(1)), Some(at(2))));
    assert_eq!(row.failure, Some(failure()));
    assert_eq!(node_runs().await, [done, rows[0].clone()]);
}

/// [SYNC-13, REL-4] A paused former owner's batch changes nothing: not the journal, not a row.
async fn a_stale_epoch_journals_nothing(db: &Db) {
    let tenant = db.tenant("acme").await;
    let run = db.run(&tenant, 0).await;
    let stale = db.own_run(&tenant, run).await;
    let taker = ServerId::generate();
    let current = db.acquire(LeaseKind::Run, *run.as_uuid(), tenant.id, taker, 15_000).await.unwrap();

    let events = [event(1, RunEventKind::RunStarted)];
    let rows = [node_run("a", NodeStatus::Running)];
    let attempt =
        |epoch| RunBatch { status: Some(RunStatus::Running), node_runs: &rows, ..batch(&tenant, run, epoch, &events) };
    assert!(!journal(db, attempt(stale)).await.unwrap());
    assert!(!journal(db, attempt(current + 1)).await.unwrap());
    let mut tx = db.store.read(tenant.id).await.unwrap();
    assert_eq!(runs::events(&mut tx, run, 0, 9).await.unwrap(), []);
    assert_eq!(runs::node_runs_after(&mut tx, run, "", i64::MAX).await.unwrap(), []);
    assert_eq!(runs::find(&mut tx, run).await.unwrap().unwrap().status, RunStatus::New);
    drop(tx);
    assert!(journal(db, attempt(current)).await.unwrap());
}

/// [RUN-3] A `seq` is used once; the batch that uses it again leaves nothing behind.
async fn an_event_is_journaled_once(db: &Db) {
    let tenant = db.tenant("acme").await;
    let run = db.run(&tenant, 0).await;
    let epoch = db.own_run(&tenant, run).await;
    let first = [event(1, RunEventKind::RunStarted)];
    assert!(journal(db, batch(&tenant, run, epoch, &first)).await.unwrap());
    let again = [event(2, RunEventKind::RunPaused), event(1, RunEventKind::RunCanceled)];
    assert!(
        matches!(journal(db, batch(&tenant, run, epoch, &again)).await, Err(Error::EventTaken(taken)) if taken == run)
    );
    assert_eq!(events(db, &tenant, run).await, first);
    // [REL-2] The connection broke while the commit was answered.
    assert!(journal(db, batch(&tenant, run, epoch, &first)).await.unwrap());
    assert_eq!(events(db, &tenant, run).await, first);
}

/// [RUN-17] The events of a large run, in few statements.
async fn a_long_journal_goes_in_one_batch(db: &Db) {
    let tenant = db.tenant("acme").await;
    let run = db.run(&tenant, 0).await;
    let epoch = db.own_run(&tenant, run).await;
    let name = |index: i64| format!("node-{index:04}");
    let written: Vec<_> =
        (1..=1_500).map(|seq| event(seq, RunEventKind::NodeStarted { node: name(seq), attempt: 1 })).collect();
    let rows: Vec<_> = (1..=1_500).map(|index| node_run(&name(index), NodeStatus::Running)).collect();
    let large = RunBatch { node_runs: &rows, ..batch(&tenant, run, epoch, &written) };
    assert!(journal(db, large).await.unwrap());
    assert_eq!(events(db, &tenant, run).await, written);
    let stored = runs::node_runs_after(&mut db.store.read(tenant.id).await.unwrap(), run, "", i64::MAX).await.unwrap();
    assert_eq!(stored, rows);
}

/// [RUN-16, SYNC-13] What a server has to take up: the runs whose server is gone, until they end.
async fn abandoned_runs_are_found_until_their_end(db: &Db) {
    let (acme, other) = (db.tenant("acme").await, db.tenant("other").await);
    let mut waiting = Vec::new();
    for status in RunStatus::ALL {
        let tenant = if waiting.len() % 2 == 0 { &acme } else { &other };
        let run = db.run(tenant, waiting.len() as i64).await;
        let epoch = db.own_run(tenant, run).await;
        let reached = RunBatch { status: Some(status), ..batch(tenant, run, epoch, &[]) };
        assert!(journal(db, reached).await.unwrap());
        if !status.is_final() {
            waiting.push((tenant.id, run));
        }
    }
    let expired = at(TTL.as_millis() as i64);
    let mut tx = db.store.read_system().await.unwrap();
    assert_eq!(runs::abandoned(&mut tx, expired, at(0), None, 100).await.unwrap(), waiting);
    assert_eq!(runs::abandoned(&mut tx, expired, at(0), None, 1).await.unwrap(), &waiting[..1]);
    assert_eq!(runs::abandoned(&mut tx, at(1), at(0), None, 100).await.unwrap(), [], "their servers live");
}

/// [RUN-16, SYNC-13] A run that nobody has taken yet is left to who created it for a while; one that was given back is
/// free, and a server finds what it held before it was restarted.
async fn runs_without_an_owner_are_found(db: &Db) {
    let tenant = db.tenant("acme").await;
    let server = ServerId::generate();
    let find = async |created_before, server| {
        let mut tx = db.store.read_system().await.unwrap();
        runs::abandoned(&mut tx, at(1), at(created_before), server, 100).await.unwrap()
    };
    let run = db.run(&tenant, 10).await;
    assert_eq!(find(9, Some(server)).await, []);
    assert_eq!(find(10, None).await, [(tenant.id, run)]);

    let id = *run.as_uuid();
    let epoch = db.acquire(LeaseKind::Run, id, tenant.id, server, 0).await.unwrap();
    assert_eq!(find(99, Some(ServerId::generate())).await, []);
    assert_eq!(find(0, Some(server)).await, [(tenant.id, run)]);
    let mut tx = db.store.begin_system().await.unwrap();
    assert!(leases::release(&mut tx, LeaseKind::Run, id, server, epoch).await.unwrap());
    tx.commit().await.unwrap();
    assert_eq!(find(0, None).await, [(tenant.id, run)]);
}

async fn runs_are_filtered(db: &Db) {
    let tenant = db.tenant("acme").await;
    let (old, new) = (db.run(&tenant, 1).await, db.run(&tenant, 2).await);
    let epoch = db.own_run(&tenant, old).await;
    let ended = RunBatch { status: Some(RunStatus::Success), ..batch(&tenant, old, epoch, &[]) };
    assert!(journal(db, ended).await.unwrap());

    let mut tx = db.store.read(tenant.id).await.unwrap();
    assert_eq!(runs::latest(&mut tx, tenant.workflow).await.unwrap().unwrap().id, new);
    assert_eq!(runs::latest(&mut tx, WorkflowId::generate()).await.unwrap(), None);
    for (workflow_id, status, expected) in [
        (None, None, vec![new, old]),
        (Some(tenant.workflow), Some(RunStatus::Success), vec![old]),
        (None, Some(RunStatus::New), vec![new]),
        (None, Some(RunStatus::Paused), vec![]),
        (Some(WorkflowId::generate()), None, vec![]),
    ] {
        let filter = RunFilter { workflow_id, status };
        let page = runs::list(&mut tx, filter, &PageRequest { total: true, ..Default::default() }).await.unwrap();
        assert_eq!(page.items.iter().map(|run| run.id).collect::<Vec<_>>(), expected);
        assert_eq!(page.total, Some(expected.len() as u64));
    }
}

fn line(seq: i64, level: LogLevel, node: Option<&str>, message: &str) -> LogEntry {
    LogEntry { seq, at: at(seq), level, node_id: node.map(str::to_owned), message: message.to_owned() }
}

async fn log(db: &Db, tenant: &Tenant, run: RunId, entries: &[LogEntry]) {
    let mut tx = db.store.begin_system().await.unwrap();
    runs::append_logs(&mut tx, tenant.id, run, entries).await.unwrap();
    tx.commit().await.unwrap();
}

/// [RUN-13]
async fn logs_are_found_by_node_level_and_text(db: &Db) {
    let tenant = db.tenant("acme").await;
    let run = db.run(&tenant, 0).await;
    let entries = [
        line(1, LogLevel::Debug, None, "Opening"),
        line(2, LogLevel::Info, Some("a"), "read 100% of it"),
        line(3, LogLevel::Warn, Some("a"), "slow"),
        line(4, LogLevel::Error, Some("b"), "it FAILED"),
    ];
    log(db, &tenant, run, &entries).await;

    let mut tx = db.store.read(tenant.id).await.unwrap();
    let filter = |node: Option<&str>, level, q: Option<&str>| LogFilter {
        node: node.map(str::to_owned),
        level,
        q: q.map(str::to_owned),
    };
    for (filter, after, limit, expected) in [
        (LogFilter::default(), Some(0), 9, &entries[..]),
        (LogFilter::default(), Some(1), 2, &entries[1..3]),
        (LogFilter::default(), None, 2, &entries[2..]),
        (LogFilter::default(), Some(4), 9, &[]),
        (filter(Some("a"), None, None), Some(0), 9, &entries[1..3]),
        (filter(None, Some(LogLevel::Warn), None), Some(0), 9, &entries[2..]),
        (filter(None, None, Some("failed")), Some(0), 9, &entries[3..]),
        (filter(None, None, Some("0% OF")), None, 9, &entries[1..2]),
        (filter(Some("a"), Some(LogLevel::Error), None), None, 9, &[]),
    ] {
        let found = runs::logs(&mut tx, run, &filter, after, limit).await.unwrap();
        assert_eq!(found, expected, "{filter:?} after {after:?}");
    }
    assert_eq!(runs::last_log_seq(&mut tx, run).await.unwrap(), 4);
    assert_eq!(runs::last_log_seq(&mut tx, RunId::generate()).await.unwrap(), 0);
}

/// [RUN-13] Written twice after an uncertain commit, it is there once; a NUL is marked.
async fn a_line_is_kept_once_and_whatever_it_holds(db: &Db) {
    let tenant = db.tenant("acme").await;
    let run = db.run(&tenant, 0).await;
    let entries: Vec<_> = (1..=600).map(|seq| line(seq, LogLevel::Info, None, "same")).collect();
    log(db, &tenant, run, &entries).await;
    log(db, &tenant, run, &entries[300..]).await;
    log(db, &tenant, run, &[line(601, LogLevel::Info, None, "a\0b")]).await;

    let mut tx = db.store.read(tenant.id).await.unwrap();
    let stored = runs::logs(&mut tx, run, &LogFilter::default(), Some(0), i64::MAX).await.unwrap();
    assert_eq!(stored[..600], entries);
    assert_eq!(stored[600].message, "a\u{fffd}b");
    drop(tx);
    let mut tx = db.store.begin_system().await.unwrap();
    let refused = runs::append_logs(&mut tx, tenant.id, RunId::generate(), &entries).await;
    assert!(matches!(refused, Err(Error::NoSuchParent)), "{refused:?}");
}
