//! Editors of some canvases, and what must be true of them.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use tokio::{
    sync::watch,
    task::JoinSet,
    time::{Instant, sleep, timeout},
};
use troupe_loadtests::api::Api;

use super::{
    editor::{Editor, Promise, Seen, lock},
    provider::{self, Ends, Phase, Provider, Route, Signals},
    view::View,
};

const JOIN_WITHIN: Duration = Duration::from_secs(120);
const CONVERGE_WITHIN: Duration = Duration::from_secs(120);
const LOOK_WITHIN: Duration = Duration::from_secs(180);
const LOOK_EVERY: Duration = Duration::from_millis(50);

pub struct Room {
    pub canvases: Vec<Canvas>,
    pub ends: Ends,
    phase: watch::Sender<Phase>,
    doors: watch::Sender<bool>,
    stall: watch::Sender<bool>,
    tasks: JoinSet<Result<()>>,
}

pub struct Canvas {
    pub workflow: String,
    pub editors: Vec<Arc<Mutex<Editor>>>,
}

/// What is there to be edited, and how.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    pub canvases: usize,
    pub editors: usize,
    pub seed: u64,
}

impl Room {
    /// Makes the canvases and lets everybody join. `route`: how the editor in each place of a canvas gets there.
    pub async fn open(api: &Api, plan: Plan, route: impl Fn(usize) -> Route) -> Result<Self> {
        let mut random = StdRng::seed_from_u64(plan.seed);
        let mut room = Self {
            canvases: Vec::new(),
            ends: Ends::default(),
            phase: watch::Sender::new(Phase::Resting),
            doors: watch::Sender::new(true),
            stall: watch::Sender::new(false),
            tasks: JoinSet::new(),
        };
        let workspace = api.workspace().await?;
        for number in 0..plan.canvases {
            let workflow = api.workflow(&workspace, &format!("Canvas {number}")).await?;
            room.canvases.push(Canvas { workflow, editors: Vec::new() });
        }
        for number in 0..plan.editors {
            let route = route(number / plan.canvases);
            let canvas = &mut room.canvases[number % plan.canvases];
            let editor = Arc::new(Mutex::new(Editor::new(format!("e{number:02}"), random.random())));
            canvas.editors.push(editor.clone());
            let own = |random: &mut StdRng| StdRng::seed_from_u64(random.random());
            let provider = Provider {
                editor: editor.clone(),
                workflow: canvas.workflow.clone(),
                route: route.clone(),
                random: own(&mut random),
                ends: room.ends.clone(),
                signals: room.signals(),
            };
            room.tasks.spawn_on(provider.stay_connected(), &route.runtime);
            if route.rate > 0.0 {
                let editing = provider::edit_on(editor, room.phases(), own(&mut random), route.rate);
                room.tasks.spawn_on(editing, &route.runtime);
            }
        }
        room.until("everybody has joined", JOIN_WITHIN, |editor| editor.is_synced()).await?;
        for canvas in &room.canvases {
            lock(&canvas.editors[0]).add_board()?;
        }
        room.until("the canvases are saved", JOIN_WITHIN, Editor::is_saved).await?;
        room.converge(api).await?;
        Ok(room)
    }

    pub fn phase(&self, phase: Phase) {
        // The receivers live as long as the tasks.
        self.phase.send_replace(phase);
    }

    /// Closed doors keep out who is not connected: their documents would heal what the server has lost, and hide it.
    pub fn doors(&self, open: bool) {
        self.doors.send_replace(open);
    }

    /// Those who stall stop reading, or go on.
    pub fn stall(&self, stall: bool) {
        self.stall.send_replace(stall);
    }

    fn signals(&self) -> Signals {
        Signals { doors: self.doors.subscribe(), stall: self.stall.subscribe() }
    }

    pub fn phases(&self) -> watch::Receiver<Phase> {
        self.phase.subscribe()
    }

    /// Waits until it is true of everybody.
    pub async fn until(&mut self, what: &str, within: Duration, is: impl Fn(&Editor) -> bool) -> Result<()> {
        let deadline = Instant::now() + within;
        loop {
            self.check_tasks()?;
            let others = self.editors().filter(|editor| !is(&lock(editor))).count();
            if others == 0 {
                return Ok(());
            }
            ensure!(Instant::now() < deadline, "not true of {others} within {within:?}: {what}; {:?}", self.ends.all());
            sleep(LOOK_EVERY).await;
        }
    }

    pub fn editors(&self) -> impl Iterator<Item = &Arc<Mutex<Editor>>> {
        self.canvases.iter().flat_map(|canvas| &canvas.editors)
    }

    /// Sums something over the editors.
    pub fn sum(&self, of: impl Fn(&Editor) -> u64) -> u64 {
        self.editors().map(|editor| of(&lock(editor))).sum()
    }

    /// Whatever was acknowledged until now is in the document and in its projection.
    pub async fn check_acknowledged(&mut self, server: &Api) -> Result<Vec<String>> {
        self.check_tasks()?;
        let mut losses = Vec::new();
        for canvas in &self.canvases {
            let looked = timeout(LOOK_WITHIN, canvas.losses(server)).await;
            losses.extend(looked.with_context(|| format!("no look at {} within {LOOK_WITHIN:?}", canvas.workflow))??);
        }
        Ok(losses)
    }

    /// Waits until everybody's document and the server's are one: the same writing and removals, the same content, and
    /// the same projection.
    pub async fn converge(&mut self, server: &Api) -> Result<()> {
        let deadline = Instant::now() + CONVERGE_WITHIN;
        for number in 0..self.canvases.len() {
            loop {
                self.check_tasks()?;
                let canvas = &self.canvases[number];
                let Some(difference) = canvas.difference(server).await? else { break };
                if Instant::now() >= deadline {
                    bail!("not converged within {CONVERGE_WITHIN:?}: {difference}");
                }
                sleep(LOOK_EVERY).await;
            }
        }
        Ok(())
    }

    /// A task ends only when something is wrong.
    pub fn check_tasks(&mut self) -> Result<()> {
        match self.tasks.try_join_next() {
            None => Ok(()),
            Some(ended) => ended?.and_then(|()| bail!("an editor has ended")),
        }
    }
}

impl Canvas {
    async fn losses(&self, server: &Api) -> Result<Vec<String>> {
        let promises: Vec<Promise> = self.editors.iter().map(|editor| lock(editor).promises()).collect();
        let document = look_again(server, &self.workflow).await?;
        let clock = |client| document.clock(client);
        let (of_document, of_diagram) =
            (View::of_document(&document.roots()), View::of_diagram(&server.diagram(&self.workflow).await?));
        let by_document = Seen { view: &of_document, clock: Some(&clock) };
        let by_rest = Seen { view: &of_diagram, clock: None };
        let mut losses = Vec::new();
        for (editor, promise) in self.editors.iter().zip(promises) {
            let editor = lock(editor);
            losses.extend(editor.losses(promise, &by_document));
            losses.extend(editor.losses(promise, &by_rest).into_iter().map(|loss| format!("by REST: {loss}")));
        }
        Ok(losses)
    }

    /// How two of the documents differ, if they do.
    async fn difference(&self, server: &Api) -> Result<Option<String>> {
        let document = look_again(server, &self.workflow).await?;
        let expected = document.state();
        for editor in &self.editors {
            let editor = lock(editor);
            let name = format!("an editor of {} ({} edits)", self.workflow, editor.edits);
            if !editor.canvas.is_whole() {
                return Ok(Some(format!("{name} waits for what never came")));
            }
            let own = editor.canvas.state();
            if own.known != expected.known {
                return Ok(Some(format!("{name} knows other things than the server")));
            }
            if own.roots != expected.roots {
                return Ok(Some(format!("{name} sees {} where the server sees {}", own.roots, expected.roots)));
            }
        }
        let (seen, projected) =
            (View::of_document(&expected.roots), View::of_diagram(&server.diagram(&self.workflow).await?));
        Ok((seen != projected).then(|| format!("{} is projected as {projected:?} but is {seen:?}", self.workflow)))
    }
}

/// A server that has just started may close a reader with "try again".
async fn look_again(server: &Api, workflow: &str) -> Result<super::canvas::Canvas> {
    let deadline = Instant::now() + LOOK_WITHIN;
    loop {
        match provider::look(server, workflow).await {
            Ok(canvas) => return Ok(canvas),
            Err(error) if Instant::now() >= deadline => return Err(error.context("nobody can read the canvas")),
            Err(_) => sleep(LOOK_EVERY).await,
        }
    }
}
