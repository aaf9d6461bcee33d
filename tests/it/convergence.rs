//! Seeded random people with Rust's and JavaScript's Yjs, over real sockets, with a bad network and a server that
//! restarts: in the end all documents, the store and the REST projection are one [SYNC-1] [SYNC-14] [REL-7].
//!
//! A seed decides who does what when; which frames have arrived by then is the machine's. `CONVERGENCE_SEEDS=1000`
//! tries as many seeds, `CONVERGENCE_SEED=7` one. A seed that ever failed stays in [`KEPT`].

pub mod document;
pub mod link;
pub mod rust;
pub mod yjs;

use rand::{RngExt, SeedableRng, rngs::StdRng};
use reqwest::{Method, StatusCode};
use serde_json::Value;
use troupe_crdt::{Applied, Canvas};

use self::{
    document::{Document, Edit},
    link::{Link, settle},
    rust::Rust,
    yjs::{Node, Yjs},
};
use crate::app::{Answer, Client, TestApp};

/// Seeds that failed once, and a few more.
const KEPT: [u64; 4] = [0, 1, 2, 3];
const STEPS: usize = 150;
const PEOPLE: u64 = 4;

struct World {
    random: StdRng,
    app: TestApp,
    owner: Client,
    workflow: String,
    links: Vec<Link>,
}

impl World {
    async fn seeded(seed: u64) -> Self {
        let app = TestApp::start().await;
        let owner = app.tenant("ann").await;
        let workflow = owner.workflow("w").await;
        let node = Node::start();
        let mut links = Vec::new();
        for client in 100..100 + PEOPLE {
            let document = match client % 2 {
                0 => Document::Yjs(Yjs::open(node.clone(), client).await),
                _ => Document::Rust(Rust::open(client)),
            };
            links.push(Link::new(document));
        }
        Self { random: StdRng::seed_from_u64(seed), app, owner, workflow, links }
    }

    async fn step(&mut self) {
        let index = self.random.random_range(0..self.links.len());
        match self.random.random_range(0..100) {
            0..40 => {
                let edit = Edit::random(&mut self.random);
                self.links[index].edit(&edit).await;
            }
            40..65 => self.send(index).await,
            65..88 => {
                let frames = self.random.random_range(1..4);
                self.links[index].hear(frames).await;
            }
            88..93 => self.links[index].cut(),
            93..97 => self.connect(index).await,
            97..99 => self.edit_by_rest().await,
            _ => self.restart().await,
        }
    }

    /// Frames may be sent twice, and in another order than they were made.
    async fn send(&mut self, index: usize) {
        let (double, swap) = (self.random.random_bool(0.1), self.random.random_bool(0.1));
        let link = &mut self.links[index];
        if swap && link.up.len() > 1 {
            link.up.swap(0, 1);
        }
        if double && let Some(frame) = link.up.front().cloned() {
            link.up.push_back(frame);
        }
        if link.is_connected() {
            link.send().await;
        }
    }

    async fn connect(&mut self, index: usize) {
        self.links[index].connect(&self.app, &self.owner, &self.workflow).await;
    }

    fn diagram(&self) -> String {
        format!("/api/v1/workflows/{}/diagram", self.workflow)
    }

    async fn edit_by_rest(&mut self) {
        let mut diagram = self.shown().await;
        let Some(nodes) = diagram["nodes"].as_array_mut().filter(|nodes| !nodes.is_empty()) else { return };
        let node = self.random.random_range(0..nodes.len());
        nodes[node]["data"]["config"]["query"] = format!("-- {node}\nselect 😀").into();
        let put = self.owner.request(Method::PUT, &self.diagram()).json(&diagram).send().await.unwrap();
        put.body_of(StatusCode::OK).await;
    }

    async fn shown(&self) -> Value {
        self.owner.get(&self.diagram()).await.body_of(StatusCode::OK).await
    }

    async fn restart(&mut self) {
        self.links.iter_mut().for_each(Link::cut);
        self.app.restart().await;
    }

    /// All show the same, and so do the REST projection and the server after another restart.
    async fn assert_one(&mut self, seed: u64) {
        let mut whole = Canvas::new();
        let expected = self.links[0].document.json().await;
        for link in &mut self.links {
            assert_eq!(link.document.json().await, expected, "seed {seed}");
        }
        assert_ne!(whole.apply(&self.links[0].document.diff(&[0]).await), Ok(Applied::Pending), "seed {seed}");
        let projected = serde_json::to_value(whole.project()).unwrap();
        assert_eq!(self.shown().await, projected, "seed {seed}");
        self.restart().await;
        assert_eq!(self.shown().await, projected, "seed {seed}, from the store");
    }
}

/// From the environment: one seed, or so many.
#[expect(clippy::disallowed_methods, reason = "a test has no other parameters")]
fn seeds() -> Vec<u64> {
    let number = |name| std::env::var(name).ok().map(|text| text.parse().unwrap());
    match (number("CONVERGENCE_SEED"), number("CONVERGENCE_SEEDS")) {
        (Some(seed), _) => vec![seed],
        (None, Some(seeds)) => (0..seeds).collect(),
        (None, None) => KEPT.to_vec(),
    }
}

/// [SYNC-1] [SYNC-12] [SYNC-14] Whoever edits with whichever library, over whatever network: all see one canvas.
#[tokio::test]
async fn rust_and_javascript_converge() {
    for seed in seeds() {
        let mut world = World::seeded(seed).await;
        for _ in 0..STEPS {
            world.step().await;
        }
        settle(&mut world.links, &world.app, &world.owner, &world.workflow).await;
        world.assert_one(seed).await;
        world.app.stop().await;
    }
}
