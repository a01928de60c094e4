use palisade_core::{Key, ModelId, Timestamp};
use palisade_trace::{Cursor, Loss, Trace, TraceQuery, TraceStatus};

use super::{
    Make, Store,
    bench::{Bench, bench, id, key, model, pages_of, request, span},
    oracle::Oracle,
};
use crate::{Broken, Random, Verdict, verdict::ensure};

const STEPS: u32 = 60;
const STATUSES: [TraceStatus; 4] = [
    TraceStatus::Ok,
    TraceStatus::Refused,
    TraceStatus::Failed,
    TraceStatus::Abandoned,
];
const LIMITS: [usize; 5] = [2, 5, 20, 50, 500];

/// Plays one random sequence of traces and questions to the store and to a naive one and compares every answer.
///
/// The same seed plays the same sequence.
///
/// # Errors
///
/// [`Broken`] at the first answer that differs.
pub async fn agrees_with_the_oracle<M: Make>(make: &M, seed: u64) -> Verdict {
    let bench = bench(make).await;
    let mut play = Play::new(seed)?;
    for step in 0..STEPS {
        play.step(&bench)
            .await
            .map_err(|broken| broken.at(format!("PALISADE_SEED={seed}, step {step}")))?;
    }
    Ok(())
}

struct Play {
    random: Random,
    oracle: Oracle,
    accepted: u64,
    repeated: u64,
    keys: Vec<Key>,
    models: Vec<ModelId>,
}

impl Play {
    fn new(seed: u64) -> Result<Self, Broken> {
        let keys = [
            "",
            "org=a",
            "org=a/user=x",
            "org=a/project=p/user=y",
            "org=b/user=x",
            "user=a",
            "org=a%2Fb",
        ];
        Ok(Self {
            random: Random::new(seed),
            oracle: Oracle::default(),
            accepted: 0,
            repeated: 0,
            keys: keys.into_iter().map(key).collect::<Result<_, _>>()?,
            models: vec![model("p", "m")?, model("q", "m")?, model("p", "n")?],
        })
    }

    async fn step(&mut self, bench: &Bench<impl Store>) -> Verdict {
        let mut traces = Vec::new();
        for _ in 0..self.random.below(8) {
            traces.push(self.trace()?);
        }
        for trace in &traces {
            self.accepted += 1;
            self.repeated += u64::from(!self.oracle.record(trace.clone()));
        }
        bench.record(traces).await?;

        let losses = bench.store.losses();
        ensure!(
            losses.accepted() == self.accepted
                && losses.by(Loss::Duplicate) == self.repeated
                && losses.total() == self.repeated,
            "expected {} accepted and {} repeated, found {losses:?}",
            self.accepted,
            self.repeated
        );

        let query = self.query()?;
        let (expected, found) = (self.oracle.list(&query), bench.walk(&query).await?);
        ensure!(
            found == expected,
            "{query:?}: expected {expected:?}, found {found:?}"
        );

        let (id, within) = (id(self.random.below(40))?, self.key());
        let (expected, found) = (
            self.oracle.get(id, &within),
            bench.store.get(id, &within).await?,
        );
        ensure!(
            found == expected,
            "{id} within {within}: expected {expected:?}, found {found:?}"
        );
        Ok(())
    }

    /// Few ids and few times, so that much is repeated and much begins at once.
    fn trace(&mut self) -> Result<Trace, Broken> {
        let started = self.time();
        let mut trace = request(self.random.below(40), started, &self.key())?;
        trace.summary.span = span(self.random.below(6))?;
        trace.summary.status = self.status();
        trace.summary.model = self.model();
        Ok(trace)
    }

    fn query(&mut self) -> Result<TraceQuery, Broken> {
        let mut query = TraceQuery::new(self.key());
        if self.random.one_in(3) {
            query = query.with_from(self.time());
        }
        if self.random.one_in(3) {
            query = query.with_to(self.time());
        }
        if self.random.one_in(3) {
            query = query.with_status(self.status());
        }
        if let Some(model) = self.model().filter(|_| self.random.one_in(3)) {
            query = query.with_model(model);
        }
        if self.random.one_in(3) {
            query = query.with_after(Cursor::of(&self.trace()?.summary));
        }
        let limit = self.random.pick(&LIMITS).copied().unwrap_or(50);
        pages_of(query, limit)
    }

    /// One of ten seconds around the beginning of 1970, or a nanosecond after it.
    fn time(&mut self) -> Timestamp {
        let secs = i64::try_from(self.random.below(10)).unwrap_or(0) - 5;
        let nanos = i64::from(self.random.one_in(4));
        Timestamp::from_nanos(secs * 1_000_000_000 + nanos)
    }

    fn key(&mut self) -> Key {
        let key = self.random.pick(&self.keys).cloned();
        key.unwrap_or_else(Key::global)
    }

    fn status(&mut self) -> TraceStatus {
        let status = self.random.pick(&STATUSES).copied();
        status.unwrap_or(TraceStatus::Ok)
    }

    fn model(&mut self) -> Option<ModelId> {
        if self.random.one_in(4) {
            return None;
        }
        self.random.pick(&self.models).cloned()
    }
}
