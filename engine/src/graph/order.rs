//! Topological order, levels, and cycles.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashMap, HashSet, VecDeque},
};

use petgraph::{algo::kosaraju_scc, graph::DiGraph};
use troupe_model::{Diagnostic, Subject, shown};

use super::{Graph, name};

/// How many nodes of a cycle a message names.
const NAMED_MAX: usize = 8;

impl Graph<'_> {
    pub(super) fn find_order(&mut self, found: &mut Vec<Diagnostic>) {
        let mut open: Vec<usize> = self.steps.iter().map(|step| step.incoming.len()).collect();
        let mut level = vec![0; self.steps.len()];
        let free = (0..self.steps.len()).filter(|&step| open[step] == 0);
        let mut ready: BinaryHeap<_> = free.map(Reverse).collect();
        while let Some(Reverse(step)) = ready.pop() {
            self.order.push(step);
            if self.levels.len() <= level[step] {
                self.levels.push(Vec::new());
            }
            self.levels[level[step]].push(step);
            for &wire in &self.steps[step].outgoing {
                let target = self.wires[wire].target;
                level[target] = level[target].max(level[step] + 1);
                open[target] -= 1;
                if open[target] == 0 {
                    ready.push(Reverse(target));
                }
            }
        }
        for level in &mut self.levels {
            level.sort_unstable();
        }
        if self.order.len() < self.steps.len() {
            self.tell_cycles(found);
        }
    }

    fn tell_cycles(&self, found: &mut Vec<Diagnostic>) {
        let graph = DiGraph::<(), (), usize>::from_edges(self.wires.iter().map(|wire| (wire.source, wire.target)));
        for component in kosaraju_scc(&graph) {
            let component: HashSet<usize> = component.into_iter().map(|node| node.index()).collect();
            let Some(cycle) = self.cycle(&component) else { continue };
            let message = self.describe(&cycle);
            found.extend(cycle.iter().map(|&step| {
                Diagnostic::error(Subject::Node(self.id(step).to_owned()), "cycle", message.clone())
                    .fix("remove one of these edges")
            }));
        }
    }

    /// A shortest way from the component's first step back to it. `None` when the component is one step without a loop.
    fn cycle(&self, component: &HashSet<usize>) -> Option<Vec<usize>> {
        let start = *component.iter().min()?;
        let mut came_from = HashMap::new();
        let mut queue = VecDeque::from([start]);
        while let Some(step) = queue.pop_front() {
            for &wire in &self.steps[step].outgoing {
                let next = self.wires[wire].target;
                if next == start {
                    let mut cycle = vec![step];
                    while let Some(&before) = cycle.last().filter(|&&at| at != start).and_then(|at| came_from.get(at)) {
                        cycle.push(before);
                    }
                    cycle.reverse();
                    return Some(cycle);
                }
                if component.contains(&next) && !came_from.contains_key(&next) {
                    came_from.insert(next, step);
                    queue.push_back(next);
                }
            }
        }
        None
    }

    fn describe(&self, cycle: &[usize]) -> String {
        let named = |step: &usize| format!("`{}`", shown::name(name(self.steps[*step].node)));
        let mut names: Vec<_> = cycle.iter().take(NAMED_MAX).map(named).collect();
        if cycle.len() > NAMED_MAX {
            names.push(format!("{} more", cycle.len() - NAMED_MAX));
        }
        names.extend(cycle.first().map(named));
        format!("the nodes wait for one another in a cycle: {}", names.join(" → "))
    }
}
