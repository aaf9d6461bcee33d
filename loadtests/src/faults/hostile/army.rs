//! Everybody hostile, on a thread that gives way to the honest: elsewhere they would have machines of their own.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    thread::{self, JoinHandle},
    time::Duration,
};

use anyhow::{Result, anyhow};
use clap::ValueEnum;
use rand::{RngExt, SeedableRng, rngs::StdRng};
use tokio::{
    sync::oneshot,
    task::JoinSet,
    time::{sleep, timeout},
};

use super::{
    attacks::{Attack, Attacker},
    ground::Ground,
};

const NICE: i32 = 10;
/// Who is neither sent away nor done by then starts again.
const VISIT_MAX: Duration = Duration::from_secs(120);

/// How often visits ended how, by attack.
pub type Visits = BTreeMap<String, BTreeMap<String, u64>>;

pub struct Army {
    retreat: oneshot::Sender<()>,
    thread: JoinHandle<Result<()>>,
    visits: Arc<Mutex<Visits>>,
}

impl Army {
    pub fn march(attacks: &[Attack], count: usize, ground: Arc<Ground>, seed: u64) -> Result<Self> {
        let mut random = StdRng::seed_from_u64(seed);
        let attackers: Vec<Attacker> = (0..count)
            .map(|number| Attacker {
                attack: attacks[number % attacks.len()],
                number,
                place: number / attacks.len(),
                ground: ground.clone(),
                random: StdRng::seed_from_u64(random.random()),
            })
            .collect();
        let (retreat, retreating) = oneshot::channel();
        let visits = Arc::new(Mutex::new(Visits::new()));
        let noted = visits.clone();
        let thread = thread::Builder::new().name("attackers".to_owned()).spawn(move || {
            rustix::process::setpriority_process(None, NICE)?;
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(attack(attackers, &noted, retreating));
            // What still resolves a name or waits is left alone.
            runtime.shutdown_background();
            Ok(())
        })?;
        Ok(Self { retreat, thread, visits })
    }

    /// Ends all attacks at once.
    pub fn retreat(self) -> Result<Visits> {
        // It has ended already if it failed, which the thread tells.
        let _ = self.retreat.send(());
        self.thread.join().map_err(|_| anyhow!("the attackers panicked"))??;
        Ok(self.visits.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }
}

async fn attack(attackers: Vec<Attacker>, visits: &Arc<Mutex<Visits>>, retreating: oneshot::Receiver<()>) {
    let mut tasks = JoinSet::new();
    for attacker in attackers {
        tasks.spawn(come_back(attacker, visits.clone()));
    }
    // Nobody tells to go on.
    let _ = retreating.await;
}

async fn come_back(mut attacker: Attacker, visits: Arc<Mutex<Visits>>) {
    let name = attacker.attack.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned());
    loop {
        let end = match timeout(VISIT_MAX, attacker.visit()).await {
            Err(_) => "stayed".to_owned(),
            Ok(Ok(())) => "done".to_owned(),
            Ok(Err(error)) => error.root_cause().to_string(),
        };
        {
            let mut visits = visits.lock().unwrap_or_else(PoisonError::into_inner);
            *visits.entry(name.clone()).or_default().entry(end).or_default() += 1;
        }
        let pause = Duration::from_millis(attacker.random.random_range(100..1_000));
        sleep(pause).await;
    }
}
