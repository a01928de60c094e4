use palisade_core::{Key, ModelId, Money, StoreErrorKind, Timestamp, Tokens, Usage};
use palisade_cost::{
    CostLedger, CostStatus, GroupBy, Layer, RecordId, ReportOrder, ReportQuery, UsageRecord,
};

use super::{
    Make, Oracle,
    bench::{key, plain},
};
use crate::{Broken, Random, Verdict};

const STEPS: u32 = 250;
const DAY: i64 = 86_400_000_000_000;
/// Ids to choose from, so few that many come again.
const IDS: u64 = 120;
/// Of these and the values they only look like, all may be somebody.
const SUBJECTS: [&str; 10] = [
    "",
    "org=acme",
    "org=acme/user=7",
    "org=other/user=7",
    "org=Acme/user=7",
    "org=acme/project=p/user=7",
    "org=acme/project=p/user=8/api_key=k/ip=1.2.3.4",
    "user=7",
    "org=acme%2Fuser%3D7",
    "org=acme/user=%25",
];
const WITHIN: [&str; 8] = [
    "",
    "",
    "",
    "org=acme",
    "user=7",
    "org=acme/user=7",
    "org=acme/project=p",
    "api_key=k",
];

/// Plays one random sequence of records and questions to the ledger and to the [`Oracle`] and compares every answer, down
/// to the last count of every group.
///
/// The same seed plays the same sequence.
///
/// # Errors
///
/// [`Broken`] at the first answer that differs.
pub async fn agrees_with_the_model<M: Make>(make: &M, seed: u64) -> Verdict {
    let ledger = make.make().await;
    let mut play = Play {
        random: Random::new(seed),
        oracle: Oracle::new(),
    };
    for step in 0..STEPS {
        play.step(&ledger)
            .await
            .map_err(|broken| broken.at(format!("PALISADE_SEED={seed}, step {step}")))?;
    }
    Ok(())
}

struct Play {
    random: Random,
    oracle: Oracle,
}

impl Play {
    async fn step(&mut self, ledger: &impl CostLedger) -> Verdict {
        if self.random.below(5) < 3 {
            let record = self.some_record()?;
            let found = ledger.record(record.clone()).await?;
            let expected = self.oracle.record(record.clone());
            if found != expected {
                return Err(Broken::new(format!(
                    "{record:?}: expected {expected:?}, found {found:?}"
                )));
            }
            return Ok(());
        }
        let query = self.some_query()?;
        let expected = self.oracle.report(&query);
        let agrees = match (ledger.report(query.clone()).await, &expected) {
            (Ok(found), Some(expected)) if found == *expected => return Ok(()),
            (Err(error), None) if error.kind() == StoreErrorKind::Invalid => return Ok(()),
            (found, _) => found,
        };
        Err(Broken::new(format!(
            "{query:?}: expected {expected:?}, found {agrees:?}"
        )))
    }

    fn some_record(&mut self) -> Result<UsageRecord, Broken> {
        let id = plain(RecordId::new(&format!("r{}", self.random.below(IDS))))?;
        let subject = self.some_key(&SUBJECTS)?;
        let (provider, model) = self.one_of(&[
            ("openai", "m"),
            ("openai", "n"),
            ("azure", "m"),
            ("x", "a/b"),
        ]);
        let model = plain(ModelId::new(provider, model))?;
        let layer = plain(Layer::new(self.one_of(&["answer", "router"])))?;
        let status = self.one_of(&CostStatus::ALL);
        let (at, usage, cost) = (self.some_time(), self.some_usage(), self.some_cost());
        Ok(UsageRecord::new(id, at, subject, model, usage)
            .with_layer(layer)
            .with_cost(cost, status))
    }

    fn some_query(&mut self) -> Result<ReportQuery, Broken> {
        let (from, until) = if self.random.one_in(2) {
            (Timestamp::MIN, Timestamp::MAX)
        } else {
            (self.some_time(), self.some_time())
        };
        let by = self.one_of(&GroupBy::ALL);
        let order = self.one_of(&[ReportOrder::Group, ReportOrder::Group, ReportOrder::Cost]);
        let limit = self.one_of(&[1, 2, 3, 5, 100]);
        let within = self.some_key(&WITHIN)?;
        let mut query = plain(
            ReportQuery::new(from, until, by)
                .with_order(order)
                .with_within(within)
                .and_then(|query| query.with_limit(limit)),
        )?;
        if self.random.one_in(2) {
            // The next page where there is one, else any group; which of the rows ended a page is chance.
            let first = self.oracle.report(&query).unwrap_or_default();
            let groups: Vec<Key> = first.rows.into_iter().map(|row| row.group).collect();
            if let Some(after) = self.random.pick(&groups) {
                query = query.with_after(after.clone());
            }
        }
        Ok(query)
    }

    /// Around the epoch, where some days are before 1970, and often on the edge of a day.
    fn some_time(&mut self) -> Timestamp {
        let nanos = match self.random.below(3) {
            0 => self.one_of(&[-DAY, -1, 0, 1, DAY - 1, DAY]),
            _ => i64::try_from(self.random.below(6 * DAY.unsigned_abs())).unwrap_or(0) - 3 * DAY,
        };
        Timestamp::from_nanos(nanos)
    }

    fn some_usage(&mut self) -> Usage {
        let mut usage = Usage::new(self.some_tokens(), self.some_tokens());
        usage.cache_read = self.some_tokens();
        usage.cache_write_5m = self.some_tokens();
        usage.cache_write_1h = self.some_tokens();
        usage.reasoning = self.some_tokens();
        usage.input_audio = self.some_tokens();
        usage.output_audio = self.some_tokens();
        usage.cache_read_audio = self.some_tokens();
        usage.input_image = self.some_tokens();
        usage.input_video = self.some_tokens();
        usage.citation = self.some_tokens();
        usage.web_search_requests = self.some_count();
        usage.search_units = self.some_count();
        usage
    }

    fn some_tokens(&mut self) -> Tokens {
        Tokens::new(self.some_count())
    }

    /// Counts of every size, the absurd ones too; all the ids together stay below 2^64.
    fn some_count(&mut self) -> u64 {
        match self.random.below(60) {
            0 => (u64::MAX >> 8) - self.random.below(1_000),
            1 => 1 << 40,
            2 => (1 << 40) + 1,
            3..=20 => 0,
            _ => self.random.below(100_000),
        }
    }

    fn some_cost(&mut self) -> Option<Money> {
        let pico = match self.random.below(24) {
            0..=4 => return None,
            5 => 0,
            6 => -i128::from(self.random.below(1_000_000)),
            7 => i128::from(i64::MAX),
            8 => i128::from(i64::MIN),
            9 => i128::from(i64::MAX) + 1,
            10 => i128::MAX >> 10,
            // Equal costs are common, so that ties must be broken as promised.
            11..=14 => 1_000,
            _ => i128::from(self.random.below(10_000_000_000_000)),
        };
        Some(Money::from_pico_usd(pico))
    }

    fn some_key(&mut self, texts: &[&str]) -> Result<Key, Broken> {
        key(self.one_of(texts))
    }

    /// One of some, of which there is at least one.
    fn one_of<T: Copy>(&mut self, items: &[T]) -> T {
        self.random.pick(items).copied().unwrap_or(items[0])
    }
}
