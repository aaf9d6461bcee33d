//! Seeded random peers over a bad network: whatever is dropped, doubled or reordered, all agree in the end [SYNC-1].

use std::collections::VecDeque;

use rand::{RngExt, SeedableRng, rngs::StdRng};
use troupe_crdt::{Canvas, Peer, wire};
use yrs::{Map, MapPrelim, Text, TextPrelim, TransactionMut};

use crate::world::{Client, Room, editor, inner, joiner, text};

const SEEDS: u64 = 40;
const STEPS: usize = 250;
const CLIENTS: u64 = 4;

struct Link {
    client: Client,
    peer: Peer,
    /// Frames on their way to the server, and to the client.
    up: VecDeque<Vec<u8>>,
    down: VecDeque<Vec<u8>>,
}

struct World {
    random: StdRng,
    room: Room,
    links: Vec<Link>,
    /// The log up to the last snapshot.
    snapshot: Option<Vec<u8>>,
    logged_before: usize,
}

impl World {
    fn seeded(seed: u64) -> Self {
        let links = (0..CLIENTS)
            .map(|client| Link {
                client: Client::new(100 + client),
                peer: editor(),
                up: VecDeque::new(),
                down: VecDeque::new(),
            })
            .collect();
        let mut world =
            Self { random: StdRng::seed_from_u64(seed), room: Room::new(), links, snapshot: None, logged_before: 0 };
        for index in 0..world.links.len() {
            world.reconnect(index);
        }
        world
    }

    fn chance(&mut self, percent: u32) -> bool {
        self.random.random_range(0..100) < percent
    }

    fn step(&mut self) {
        let index = self.random.random_range(0..self.links.len());
        match self.random.random_range(0..100) {
            0..40 => self.edit(index),
            40..65 => self.deliver_up(index),
            65..90 => self.deliver_down(index),
            90..94 => self.reconnect(index),
            94..97 => self.edit_on_the_server(),
            97..99 => self.repair(),
            _ => self.restart(),
        }
    }

    fn edit(&mut self, index: usize) {
        let random = &mut self.random;
        let update = self.links[index].client.edit(|txn| random_edit(txn, random));
        self.links[index].up.push_back(wire::update(&update));
    }

    fn deliver_up(&mut self, index: usize) {
        let (lose, double, reorder) = (self.chance(4), self.chance(6), self.chance(8));
        let link = &mut self.links[index];
        if reorder && link.up.len() > 1 {
            link.up.swap(0, 1);
        }
        let Some(frame) = link.up.pop_front() else { return };
        if double {
            link.up.push_back(frame.clone());
        }
        if !lose {
            self.receive(index, &frame);
        }
    }

    fn receive(&mut self, index: usize, frame: &[u8]) {
        let link = &mut self.links[index];
        let outcome = self.room.receive(&mut link.peer, frame).unwrap();
        let replies = self.room.replies(&mut link.peer, &outcome);
        link.down.extend(replies.iter().map(|reply| reply.to_vec()));
        for update in &outcome.updates {
            self.broadcast(update, Some(index));
        }
    }

    fn broadcast(&mut self, update: &[u8], author: Option<usize>) {
        for (other, link) in self.links.iter_mut().enumerate() {
            if Some(other) != author {
                link.down.push_back(wire::update(update));
            }
        }
    }

    /// A connection keeps its order and breaks when something is lost; our side of it takes worse (`deliver_up`).
    fn deliver_down(&mut self, index: usize) {
        let (lose, double) = (self.chance(4), self.chance(6));
        if lose {
            return self.reconnect(index);
        }
        let link = &mut self.links[index];
        let Some(frame) = link.down.pop_front() else { return };
        for _ in 0..=usize::from(double) {
            link.up.extend(link.client.receive(&frame));
        }
    }

    /// A new session, whatever was on its way.
    fn reconnect(&mut self, index: usize) {
        let link = &mut self.links[index];
        link.up.clear();
        link.down.clear();
        link.peer = editor();
        link.up.push_back(wire::sync_step1(&link.client.state_vector()));
    }

    fn log(&mut self, update: Option<Vec<u8>>) {
        if let Some(update) = update {
            self.broadcast(&update, None);
            self.room.log.push(update);
        }
    }

    fn edit_on_the_server(&mut self) {
        let mut diagram = self.room.canvas.project();
        if !diagram.nodes.is_empty() && self.chance(30) {
            diagram.nodes.remove(0);
        }
        for node in &mut diagram.nodes {
            node.position.x += 1.0;
            let query = format!("-- {}\nselect 😀", self.random.random_range(0..10));
            node.data.config.insert("query".to_owned(), query.into());
        }
        let update = self.room.canvas.edit(&diagram);
        self.log(update);
    }

    fn repair(&mut self) {
        let update = self.room.canvas.repair();
        self.log(update);
    }

    /// The server goes down and comes back from its snapshot and log.
    fn restart(&mut self) {
        if self.chance(50) {
            self.snapshot = Some(self.room.canvas.snapshot().unwrap().bytes);
            self.logged_before = self.room.log.len();
        }
        let rest = &self.room.log[self.logged_before..];
        self.room.canvas = Canvas::open(self.snapshot.as_deref(), rest).unwrap();
        for index in 0..self.links.len() {
            self.reconnect(index);
        }
    }

    fn settle(&mut self) {
        for index in 0..self.links.len() {
            self.reconnect(index);
        }
        while self.links.iter().any(|link| !link.up.is_empty() || !link.down.is_empty()) {
            for index in 0..self.links.len() {
                while let Some(frame) = self.links[index].up.pop_front() {
                    self.receive(index, &frame);
                }
                while let Some(frame) = self.links[index].down.pop_front() {
                    let link = &mut self.links[index];
                    link.up.extend(link.client.receive(&frame));
                }
            }
        }
    }
}

fn random_edit(txn: &mut TransactionMut<'_>, random: &mut StdRng) {
    let id = format!("n{}", random.random_range(0..5));
    let config = ["nodes", &id, "data", "config"];
    let nodes = inner(txn, &["nodes"]).unwrap();
    match random.random_range(0..8) {
        0 => {
            let config = MapPrelim::from([("query", yrs::In::from(TextPrelim::new("select 😀")))]);
            let data = MapPrelim::from([("label", yrs::In::from(id.as_str())), ("config", yrs::In::from(config))]);
            nodes.insert(txn, id.as_str(), MapPrelim::from([("data", data)]));
        }
        1 => drop(nodes.remove(txn, &id)),
        2 => {
            if let Some(node) = inner(txn, &["nodes", &id]) {
                let (x, y) = (random.random_range(0..100), random.random_range(0..100));
                node.insert(txn, "position", yrs::any!({ "x": x, "y": y }));
            }
        }
        3 => {
            if let Some(config) = inner(txn, &config) {
                config.insert(txn, "rows", random.random_range(0..1000));
            }
        }
        4 | 5 => {
            if let Some(query) = text(txn, &config, "query") {
                let len = query.len(txn);
                let at = random.random_range(0..=len);
                if random.random_bool(0.6) {
                    query.insert(txn, at, ["a", "😀", "\n", "é, "][random.random_range(0..4)]);
                } else {
                    query.remove_range(txn, at, random.random_range(0..=(len - at).min(3)));
                }
            }
        }
        6 => {
            let (from, to) = (random.random_range(0..5), random.random_range(0..5));
            let edge = MapPrelim::from([("source", format!("n{from}")), ("target", format!("n{to}"))]);
            inner(txn, &["edges"]).unwrap().insert(txn, format!("e{from}-{to}"), edge);
        }
        _ => {
            inner(txn, &["notes"]).unwrap().insert(txn, "s", random.random_range(0..9));
        }
    }
}

/// [SYNC-1] [SYNC-5] Drops, doubles, reorders, reconnects, restarts and server edits: all converge, and so does
/// whoever reads the log or joins late.
#[test]
fn everyone_converges() {
    for seed in 0..SEEDS {
        let mut world = World::seeded(seed);
        for _ in 0..STEPS {
            world.step();
        }
        world.settle();
        let late = joiner(&world.room.canvas);
        for link in &world.links {
            assert_eq!(link.client.clocks(), late.clocks(), "seed {seed}");
            assert_eq!(link.client.json(), late.json(), "seed {seed}");
        }
        world.room.assert_log_is_whole();
        assert!(!world.room.log.is_empty());
    }
}
