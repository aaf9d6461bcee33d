//! A server in miniature: the actor system on an embedded store in a temporary folder, with node types made for
//! tests. It can be crashed, which drops everything in memory, and started again on what is stored.

use std::{
    backtrace::Backtrace,
    collections::BTreeMap,
    future::Future,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::Duration,
};

use futures::future::BoxFuture;
use serde_json::{Map, Value, json};
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};
use troupe_actors::{
    Asker, CanvasSession, Channel, DiagramEdit, EditDiagramError, Edited, Examined, Examiner, JoinCanvas, Limits,
    Outbox, StartRun, System, SystemConfig, Unavailable, examine,
};
use troupe_crdt::{Access, UserTag};
use troupe_engine::{Registry, egress::Egress};
use troupe_model::{
    Clock, Diagram, RunEventKind, RunId, RunStatus, ServerId, SessionId, SystemClock, TenantId, Timestamp, UserId,
    WorkflowId, WorkspaceId,
};
use troupe_store::{
    DatabaseConfig, Store,
    canvas::{self, Append, Part, StoredCanvas},
    leases::{self, LeaseKind},
    runs, tenants, users, workflows, workspaces,
};

use crate::{
    client::{Client, Watcher},
    nodes::{self, Trace},
};

/// How long a test waits for what must happen.
const PATIENCE: Duration = Duration::from_secs(20);

/// Threads of one server.
const WORKERS: usize = 2;

pub struct World {
    folder: Arc<TempDir>,
    server: ServerId,
    limits: Limits,
    pub tenant: TenantId,
    pub user: UserId,
    pub workflow: WorkflowId,
    pub trace: Trace,
    pub clock: Brittle,
    pub examiner: Scripted,
    /// Nothing happens in it while a test does not wait.
    has_one_thread: bool,
    node: Option<(Runtime, System)>,
}

/// A clock on which the owner of a canvas can be made to fail: there is no other way to do so from outside.
#[derive(Clone, Debug, Default)]
pub struct Brittle(Arc<AtomicBool>);

impl Brittle {
    /// When the next frame of a canvas comes.
    pub fn fail_at_a_frame(&self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

impl Clock for Brittle {
    fn now(&self) -> Timestamp {
        let asked_by_a_frame = || Backtrace::force_capture().to_string().contains("workflow/session.rs");
        if self.0.load(Ordering::SeqCst) && asked_by_a_frame() && self.0.swap(false, Ordering::SeqCst) {
            panic!("made to fail");
        }
        SystemClock.now()
    }
}

/// Tries canvases here, and finds what a test wants to be found.
#[derive(Clone, Debug, Default)]
pub struct Scripted {
    examined: Arc<AtomicU32>,
    failure: Arc<Mutex<Option<String>>>,
}

impl Scripted {
    /// How many were tried.
    pub fn examined(&self) -> u32 {
        self.examined.load(Ordering::SeqCst)
    }

    pub fn find(&self, failure: Option<&str>) {
        *self.failure.lock().unwrap() = failure.map(str::to_owned);
    }
}

impl Examiner for Scripted {
    fn examine(&self, stored: StoredCanvas) -> BoxFuture<'_, Examined> {
        self.examined.fetch_add(1, Ordering::SeqCst);
        let mut diagram = None;
        let examined = examine(&stored, |read| diagram = Some(read));
        let failure = self.failure.lock().unwrap().clone().or(examined.err());
        Box::pin(async { Examined { diagram, failure } })
    }
}

impl World {
    pub fn new() -> Self {
        Self::limited(Limits::default())
    }

    pub fn limited(limits: Limits) -> Self {
        Self::made(limits, false)
    }

    /// A server on the thread of its test: nothing happens while the test does not wait.
    pub fn on_one_thread(limits: Limits) -> Self {
        Self::made(limits, true)
    }

    fn made(limits: Limits, has_one_thread: bool) -> Self {
        let mut world = Self {
            has_one_thread,
            limits,
            folder: Arc::new(TempDir::new().unwrap()),
            server: ServerId::generate(),
            tenant: TenantId::generate(),
            user: UserId::generate(),
            workflow: WorkflowId::generate(),
            trace: Trace::default(),
            clock: Brittle::default(),
            examiner: Scripted::default(),
            node: None,
        };
        world.start();
        world.on(World::seed);
        world
    }

    /// Another server on the same store.
    pub fn beside(&self) -> Self {
        let mut other = Self {
            folder: self.folder.clone(),
            server: ServerId::generate(),
            trace: self.trace.clone(),
            clock: self.clock.clone(),
            examiner: self.examiner.clone(),
            node: None,
            has_one_thread: false,
            ..*self
        };
        other.start();
        other
    }

    /// Stops the server's threads for a while, as if its process was stopped, and returns when they have stopped.
    pub fn pause(&self, pause: Duration) {
        let runtime = &self.node.as_ref().expect("the server runs").0;
        let paused = Arc::new(std::sync::Barrier::new(WORKERS + 1));
        for _ in 0..WORKERS {
            let paused = paused.clone();
            runtime.spawn(async move {
                paused.wait();
                std::thread::sleep(pause);
            });
        }
        paused.wait();
    }

    /// Starts a server on what is stored.
    pub fn start(&mut self) {
        let mut builder = if self.has_one_thread { Builder::new_current_thread() } else { Builder::new_multi_thread() };
        let runtime = builder.worker_threads(WORKERS).enable_all().build().unwrap();
        let system = runtime.block_on(async {
            let store = Store::open(DatabaseConfig::sqlite(self.folder.path().join("troupe.db"))).await.unwrap();
            store.migrate().await.unwrap();
            System::start(SystemConfig {
                server: self.server,
                store,
                registry: Registry::of(nodes::all(&self.trace)),
                egress: Egress::new(false).unwrap(),
                clock: Arc::new(self.clock.clone()),
                examiner: Arc::new(self.examiner.clone()),
                files_root: self.folder.path().join("files"),
                payloads_root: self.folder.path().join("payloads"),
                limits: self.limits,
            })
            .await
            .unwrap()
        });
        self.node = Some((runtime, system));
    }

    /// Ends the server as `kill -9` would: nothing is told, nothing is flushed.
    pub fn crash(&mut self) {
        let (runtime, system) = self.node.take().unwrap();
        drop(system);
        runtime.shutdown_background();
    }

    /// Ends the server in order.
    pub fn stop(&mut self) {
        let (runtime, system) = self.node.take().unwrap();
        runtime.block_on(system.drain(PATIENCE));
    }

    pub fn system(&self) -> &System {
        &self.node.as_ref().expect("the server runs").1
    }

    /// Runs a part of a test on the server's runtime, and fails when it takes for ever.
    pub fn on<'a, F: Future>(&'a self, part: impl FnOnce(&'a Self) -> F) -> F::Output {
        let runtime = &self.node.as_ref().expect("the server runs").0;
        runtime.block_on(async { tokio::time::timeout(PATIENCE, part(self)).await.expect("it takes too long") })
    }

    pub fn asker(&self) -> Asker {
        Asker { tenant: self.tenant, user: Some(self.user) }
    }

    pub async fn store(&self) -> Store {
        Store::open(DatabaseConfig::sqlite(self.folder.path().join("troupe.db"))).await.unwrap()
    }

    async fn seed(&self) {
        let store = self.store().await;
        let now = troupe_model::Timestamp::from_millis(1);
        let mut tx = store.begin_system().await.unwrap();
        tenants::create(&mut tx, self.tenant, "Test", now).await.unwrap();
        let user = users::NewUser {
            id: self.user,
            tenant_id: self.tenant,
            email: "ann@example.com",
            name: "Ann",
            role: users::Role::Owner,
            password_hash: &"-".into(),
        };
        users::create(&mut tx, user, now).await.unwrap();
        tx.commit().await.unwrap();
        let mut tx = store.begin(self.tenant).await.unwrap();
        let workspace = WorkspaceId::generate();
        let new = workspaces::NewWorkspace { id: workspace, name: "W", description: "" };
        workspaces::create(&mut tx, new, now).await.unwrap();
        let new = workflows::NewWorkflow {
            id: self.workflow,
            workspace_id: workspace,
            folder_id: None,
            job_id: None,
            name: "Test",
            description: "",
            parameters: &Map::new(),
            tags: &[],
            created_by: self.user,
        };
        workflows::create(&mut tx, new, now).await.unwrap();
        tx.commit().await.unwrap();
    }

    pub async fn join(&self, name: &str, access: Access) -> Client {
        Client::greet(self.session(name, access, None).await).await
    }

    /// A session that has not said anything yet. `document_epoch`: of the copy that it has.
    pub async fn session(&self, name: &str, access: Access, document_epoch: Option<i64>) -> CanvasSession {
        self.session_of(self.user, name, access, document_epoch).await
    }

    /// The same of another user.
    pub async fn session_of(
        &self,
        user: UserId,
        name: &str,
        access: Access,
        document_epoch: Option<i64>,
    ) -> CanvasSession {
        self.try_session_of(user, name, access, document_epoch).await.unwrap()
    }

    pub async fn try_join(&self, name: &str, access: Access) -> Result<Client, Unavailable> {
        Ok(Client::greet(self.try_session_of(self.user, name, access, None).await?).await)
    }

    async fn try_session_of(
        &self,
        user: UserId,
        name: &str,
        access: Access,
        document_epoch: Option<i64>,
    ) -> Result<CanvasSession, Unavailable> {
        let user = UserTag { id: user, name: name.to_owned(), color: "#123456".to_owned() };
        let session = SessionId::generate();
        let join = JoinCanvas { session, user, access, acks: true, document_epoch };
        self.system().join_canvas(self.tenant, self.workflow, join).await
    }

    /// Waits until the document is stored in this document epoch, without a log behind it.
    pub async fn rebuilt(&self, document_epoch: i64) {
        let store = self.store().await;
        loop {
            let mut tx = store.begin(self.tenant).await.unwrap();
            let stored = troupe_store::canvas::load(&mut tx, self.workflow).await.unwrap();
            if stored.updates.is_empty()
                && stored.snapshot.is_some_and(|stored| stored.document_epoch == document_epoch)
            {
                return;
            }
            drop(tx);
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Makes the canvas this diagram: `"a -> b, b -> c"`, each node of the type that its name begins with.
    pub async fn draw(&self, plan: &str) {
        self.try_draw(plan).await.unwrap();
    }

    pub async fn try_draw(&self, plan: &str) -> Result<Edited, EditDiagramError> {
        let edit = DiagramEdit::Replace(diagram(plan));
        self.system().edit_diagram(self.asker(), self.workflow, None, edit).await.map(|edited| edited.value)
    }

    /// Writes an update into the log that is none.
    pub async fn damage(&self) {
        let mut tx = self.store().await.begin_system().await.unwrap();
        let (kind, id, server, now) =
            (LeaseKind::Workflow, *self.workflow.as_uuid(), ServerId::generate(), Timestamp::from_millis(1));
        let ttl = Duration::from_secs(1);
        let epoch = leases::acquire(&mut tx, kind, id, self.tenant, server, now, ttl).await.unwrap().unwrap();
        let entry = Append {
            tenant: self.tenant,
            workflow: self.workflow,
            epoch,
            seq: 2,
            user: None,
            bytes: &[255; 9],
            part: Part::WHOLE,
            at: now,
        };
        assert_eq!(canvas::append(&mut tx, &[entry]).await.unwrap(), [true]);
        leases::release(&mut tx, kind, id, server, epoch).await.unwrap();
        tx.commit().await.unwrap();
    }

    pub async fn run(&self) -> RunId {
        let start = StartRun { by: Some(self.user), trigger: "manual".to_owned(), parameters: Map::new() };
        self.system().start_run(self.tenant, self.workflow, start).await.unwrap().id
    }

    pub async fn watch(&self, channel: Channel) -> Watcher {
        self.watch_slowly(channel, 1 << 20).await
    }

    /// So many bytes may wait.
    pub async fn watch_slowly(&self, channel: Channel, bytes: usize) -> Watcher {
        let outbox = Outbox::new(bytes);
        let subscription = self.system().subscribe(self.asker(), channel, None, outbox.clone()).await.unwrap();
        Watcher::new(outbox, subscription)
    }

    /// Waits for the run's end.
    pub async fn ended(&self, run: RunId) -> RunStatus {
        loop {
            let run = self.stored(run).await;
            if run.status.is_final() {
                return run.status;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    pub async fn stored(&self, run: RunId) -> runs::Run {
        let store = self.store().await;
        let mut tx = store.begin(self.tenant).await.unwrap();
        runs::find(&mut tx, run).await.unwrap().unwrap()
    }

    pub async fn node_runs(&self, run: RunId) -> BTreeMap<String, runs::NodeRunRow> {
        let store = self.store().await;
        let mut tx = store.begin(self.tenant).await.unwrap();
        let rows = runs::node_runs_after(&mut tx, run, "", i64::MAX).await.unwrap();
        rows.into_iter().map(|row| (row.node.clone(), row)).collect()
    }

    pub async fn journal(&self, run: RunId) -> Vec<RunEventKind> {
        let store = self.store().await;
        let mut tx = store.begin(self.tenant).await.unwrap();
        runs::events(&mut tx, run, 0, 100_000).await.unwrap().into_iter().map(|event| event.kind).collect()
    }

    /// How many rows the log of the canvas has.
    pub async fn rows(&self) -> usize {
        let store = self.store().await;
        let mut tx = store.begin(self.tenant).await.unwrap();
        canvas::load(&mut tx, self.workflow).await.unwrap().updates.len()
    }

    /// Waits until the nodes have done this.
    pub async fn traced(&self, line: &str) {
        while !self.trace.lines().iter().any(|known| known == line) {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
}

pub fn diagram(plan: &str) -> Diagram {
    let mut nodes: Vec<Value> = Vec::new();
    let mut edges = Vec::new();
    let mut add = |id: &str| {
        let node_type = id.trim_end_matches(|c: char| c.is_ascii_digit());
        if !nodes.iter().any(|node| node["id"] == id) {
            nodes.push(json!({ "id": id, "data": { "label": id, "nodeType": node_type } }));
        }
    };
    for part in plan.split(", ") {
        let ids: Vec<&str> = part.split(" -> ").collect();
        ids.iter().for_each(|id| add(id));
        for pair in ids.windows(2) {
            edges.push(json!({ "id": format!("{}-{}", pair[0], pair[1]), "source": pair[0], "target": pair[1] }));
        }
    }
    serde_json::from_value(json!({ "nodes": nodes, "edges": edges })).unwrap()
}
