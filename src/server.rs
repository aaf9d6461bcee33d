//! Starts a server, and ends it without losing anything [OPS-1, OPS-5].

pub mod connections;
mod machine;
mod stop_signal;

use std::{hint::black_box, net::SocketAddr, path::Path, process::ExitCode, sync::Arc, time::Duration};

use anyhow::Context;
use tokio::{
    net::{TcpListener, TcpSocket},
    sync::oneshot,
    time::timeout,
};
use troupe_actors::{CreditLimits, FootprintLimits, Limits, LoanLimits, System, SystemConfig, WorktimeLimits, task};
use troupe_engine::{Registry, egress::Egress};
use troupe_model::{Clock, ServerId, SystemClock};
use troupe_store::{DatabaseConfig, Store, Timeouts, secrets::SecretBox};

use crate::{
    app::{App, Parts},
    auth::{
        attempts::Attempts, device::Devices, keys, password::Passwords, people::People, signing::SigningKeys,
        ticket::Tickets, token::AccessTokens,
    },
    config::{self, Config},
    data_dir, demo,
    examination::ChildExaminer,
    identity::Identity,
    router,
    sockets::sessions::Sessions,
    telemetry,
};
use stop_signal::StopSignal;

/// How long sockets, requests and the store may each take to end after everything is committed.
const LAST_WORDS: Duration = Duration::from_secs(2);
/// Connections that are not accepted yet, when many come at once. One that finds no room tries again after a second.
const CONNECTIONS_WAITING_MAX: u32 = 4_096;

/// Nobody writes to it, so it costs nothing.
const LARGE_PIECE_BYTES: usize = 8 << 20;

/// A server that runs in this process.
pub struct Server {
    app: App,
    address: SocketAddr,
    welcome: Option<demo::Seeded>,
    stop: oneshot::Sender<()>,
    stopped: oneshot::Receiver<()>,
    _identity: Identity,
    _upkeep: task::Owned,
}

/// `troupe serve`: until SIGTERM or SIGINT.
pub async fn serve(config: Config) -> anyhow::Result<ExitCode> {
    let stop = StopSignal::listen(config.server.drain_timeout())?;
    let server = Server::start(config).await?;
    server.print_welcome();
    stop.given().await;
    tracing::info!("stopping");
    server.stop().await?;
    Ok(ExitCode::SUCCESS)
}

/// The allocator returns what was free for a second to the system when it frees a large piece, and never by itself: a
/// server that is at rest after much work would keep it all.
fn give_back_memory() {
    drop(black_box(Vec::<u8>::with_capacity(LARGE_PIECE_BYTES)));
}

impl Server {
    pub async fn start(config: Config) -> anyhow::Result<Self> {
        // The recorder must be there before anything is measured.
        let metrics = telemetry::metrics()?;
        data_dir::prepare(&config.data_dir)?;
        let identity = Identity::of(&config.data_dir)?;
        let listener = listen(&config.server)?;
        let address = listener.local_addr()?;
        let store = open_store(&config).await?;
        let app = build(config, store, identity.id).await?;
        let welcome = demo::seed_if_empty(&app).await.context("cannot seed the demo tenant")?;
        let (stop, stop_asked) = oneshot::channel::<()>();
        let (ended, stopped) = oneshot::channel();
        let (router, config) = (router::router(app.clone()), app.config().server.clone());
        task::spawn("http", async move {
            let asked = async move {
                // A dropped server stops as well.
                let _ = stop_asked.await;
            };
            connections::serve(listener, router, &config, asked).await;
            let _ = ended.send(());
        });
        let upkeep = task::spawn_owned("upkeep", async move {
            loop {
                tokio::time::sleep(telemetry::UPKEEP).await;
                metrics.run_upkeep();
                give_back_memory();
            }
        });
        tracing::info!(%address, "listening");
        Ok(Self { app, address, welcome, stop, stopped, _identity: identity, _upkeep: upkeep })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn app(&self) -> &App {
        &self.app
    }

    /// Takes no new work, commits, closes every socket with 1012, and ends [SYNC-12]. Work on blocking threads is not
    /// waited for: what it does is not told to anybody any more.
    pub async fn stop(self) -> anyhow::Result<()> {
        let within = self.app.config().server.drain_timeout();
        let last_words = LAST_WORDS.min(within / 8);
        self.app.system().drain(within - 4 * last_words).await;
        if timeout(last_words, self.app.sessions().close()).await.is_err() {
            tracing::info!("some sockets did not take their close");
        }
        // The receiver is gone only when the server has ended already.
        let _ = self.stop.send(());
        match timeout(last_words, self.stopped).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) => tracing::warn!("the HTTP server ended early"),
            Err(_) => tracing::info!("requests were still under way"),
        }
        if timeout(last_words, self.app.store().close()).await.is_err() {
            tracing::warn!("the store was still in use");
        }
        Ok(())
    }

    /// Goes to the terminal, not to the log: it may hold the demo password.
    fn print_welcome(&self) {
        println!("Troupe is ready at {}", self.url());
        let Some(demo) = &self.welcome else { return };
        match &demo.generated_password {
            Some(password) => {
                println!("Sign in as {} with the password {password}", demo.email);
                println!("(shown only this once)");
            }
            None => println!("Sign in as {} with the configured password", demo.email),
        }
    }

    fn url(&self) -> String {
        let config = &self.app.config().server;
        let local = || match self.address.ip() {
            ip if ip.is_unspecified() => format!("http://localhost:{}", self.address.port()),
            ip => format!("http://{}", SocketAddr::new(ip, self.address.port())),
        };
        config.public_url.clone().unwrap_or_else(local)
    }
}

/// Opens the configured store and brings it to this version's schema [OPS-3].
pub async fn open_store(config: &Config) -> anyhow::Result<Store> {
    let limits = &config.database;
    let named = match &limits.url {
        Some(url) => url.expose().parse()?,
        None => DatabaseConfig::sqlite(data_dir::database(&config.data_dir)?),
    };
    let database = match named {
        DatabaseConfig::Postgres { url, .. } => DatabaseConfig::Postgres {
            url,
            connections_max: limits.connections_max,
            timeouts: Timeouts {
                statement: Duration::from_secs(limits.statement_timeout_s),
                lock: Duration::from_secs(limits.lock_timeout_s),
                idle_in_transaction: Duration::from_secs(limits.idle_in_transaction_timeout_s),
            },
        },
        DatabaseConfig::Sqlite { path, readers_max, .. } => {
            DatabaseConfig::Sqlite { path, readers_max, busy_timeout: Duration::from_secs(limits.busy_timeout_s) }
        }
    };
    let store = Store::open(database).await.context("cannot open the database")?;
    store.migrate().await.context("cannot migrate the database")?;
    Ok(store)
}

async fn build(config: Config, store: Store, server: ServerId) -> anyhow::Result<App> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let signing_key = secret(&config.data_dir, "signing.key", config.auth.signing_key.as_ref())?;
    let master_key = secret(&config.data_dir, "master.key", config.secrets.master_key.as_ref())?;
    let master_key = keys::parse(&master_key).context("secrets.master_key must be 64 hexadecimal digits")?;
    let master_key = secrecy::SecretBox::new(Box::new(master_key));
    let former: Vec<&[u8]> = config.auth.former_signing_keys.iter().map(|key| key.expose().as_bytes()).collect();
    let signing_keys = SigningKeys::new(signing_key.as_bytes(), &former);
    let ttl = Duration::from_secs(config.auth.access_token_ttl_s);
    let registry = Registry::standard();
    let system = System::start(SystemConfig {
        server,
        store: store.clone(),
        registry: registry.clone(),
        egress: Egress::new(config.egress.allow_private)?,
        clock: clock.clone(),
        examiner: Arc::new(ChildExaminer::new(&config.limits)),
        files_root: config.files_root(),
        payloads_root: config.data_dir.join("payloads"),
        limits: limits(&config.limits),
    })
    .await
    .context("cannot start the actor system")?;
    Ok(App::new(Parts {
        people: People::new(store.clone()),
        store,
        system,
        registry,
        clock,
        passwords: Passwords::new()?,
        tokens: AccessTokens::new(signing_keys.clone(), ttl),
        tickets: Tickets::default(),
        attempts: Attempts::new(&config.auth),
        devices: Devices::new(signing_keys, &config),
        sessions: Sessions::default(),
        secrets: SecretBox::new(&master_key),
        config,
    }))
}

fn limits(config: &config::Limits) -> Limits {
    Limits {
        unload_after: Duration::from_secs(config.unload_after_s),
        footprint: FootprintLimits {
            bytes_max: config.canvases_bytes_max.unwrap_or_else(machine::half_of_the_memory),
            idle_bytes_max: config.idle_canvases_bytes_max,
        },
        nodes_max: config.nodes_max,
        nodes_per_run_max: config.nodes_per_run_max,
        runs_per_tenant_max: config.runs_per_tenant_max,
        analyses_max: config.analyses_max.unwrap_or_else(machine::half_of_the_cores),
        long_turns_max: config.long_turns_max.unwrap_or_else(machine::half_of_the_cores),
        analysis_fuel_max: config.analysis_fuel_max,
        sessions_per_tenant_max: config.sessions_per_tenant_max,
        outbox_bytes_max: config.outbox_bytes_max,
        answers_at_once_max: config.answers_at_once_max,
        answers_per_minute_max: config.answers_per_minute_max,
        awareness_frames_per_second_max: config.awareness_frames_per_second_max,
        tombstone_bytes_idle_max: config.tombstone_bytes_idle_max,
        tombstone_bytes_max: config.tombstone_bytes_max,
        credit: CreditLimits {
            frames_max: config.session_frames_in_flight_max,
            bytes_max: config.session_bytes_in_flight_max,
            user_bytes_max: config.user_bytes_in_flight_max,
        },
        loans: LoanLimits {
            arriving_bytes_max: config.large_frames_bytes_max,
            answers_bytes_max: config.answers_bytes_max,
            waiting_bytes_max: config.waiting_bytes_max,
        },
        worktime: WorktimeLimits {
            at_once: Duration::from_millis(config.user_time_at_once_ms),
            per_second: Duration::from_millis(config.user_time_per_second_ms),
            shared_per_second: Duration::from_millis(
                config.shared_time_per_second_ms.unwrap_or_else(|| 500 * machine::cores() as u64),
            ),
        },
        canvas: troupe_crdt::Limits {
            frame_bytes_max: config.frame_bytes_max,
            document_bytes_max: config.canvas_bytes_max,
            document_items_max: config.canvas_items_max,
            document_values_max: config.canvas_values_max,
            pending_updates_max: config.pending_updates_max,
            pending_bytes_max: config.pending_bytes_max,
            awareness_clients_max: config.awareness_clients_max,
            awareness_state_bytes_max: config.awareness_state_bytes_max,
            awareness_bytes_max: config.awareness_bytes_max,
            awareness_user_bytes_min: config.awareness_user_bytes_min,
            awareness_bytes_per_second: config.awareness_bytes_per_second,
            awareness_user_bytes_per_second: config.awareness_user_bytes_per_second,
            awareness_remembered_max: config.awareness_remembered_max,
            awareness_remembered_per_user_max: config.awareness_remembered_per_user_max,
        },
        ..Limits::default()
    }
}

/// A configured secret, or the one that was made on first start.
fn secret(data_dir: &Path, file: &str, configured: Option<&config::Secret>) -> anyhow::Result<String> {
    match configured {
        Some(secret) => Ok(secret.expose().to_owned()),
        None => Ok(keys::load_or_create(&data_dir.join(file))?),
    }
}

fn listen(config: &config::Server) -> anyhow::Result<TcpListener> {
    let address = SocketAddr::new(config.address, config.port);
    let listening = || {
        let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        socket.listen(CONNECTIONS_WAITING_MAX)
    };
    listening().with_context(|| format!("cannot listen on {address}"))
}
