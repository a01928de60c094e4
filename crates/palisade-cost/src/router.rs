//! Which model takes a task: cheap ones simple tasks, strong ones hard tasks, and less of everything when money runs out.

use palisade_core::{ModelId, Money, Timestamp};

use crate::{
    BudgetState, CallFacts, Complexity, EstimateFacts, Mode, ModeRules, PriceBook, Task,
    complexity, estimate,
};

/// A model that tasks may go to.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(deny_unknown_fields)
)]
#[non_exhaustive]
pub struct RouteModel {
    /// Which.
    pub model: ModelId,
    /// How hard a task it is trusted with: 0 to 100, on the scale of [`Complexity::score`].
    pub strength: u8,
    /// What it can do besides text, in the host's words: `vision`, `tools`, `json`.
    #[cfg_attr(feature = "serde", serde(default))]
    pub capabilities: Vec<String>,
}

impl RouteModel {
    /// A model of this strength that does text.
    #[must_use]
    pub const fn new(model: ModelId, strength: u8) -> Self {
        Self {
            model,
            strength,
            capabilities: Vec::new(),
        }
    }

    /// The same, able to do something more.
    #[must_use]
    pub fn with_capability(mut self, capability: impl Into<String>) -> Self {
        self.capabilities.push(capability.into());
        self
    }
}

/// Where tasks go.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(default, deny_unknown_fields)
)]
#[non_exhaustive]
pub struct Router {
    /// The models, of equally good ones the first is taken.
    pub models: Vec<RouteModel>,
    /// The most that one call may cost.
    pub request_cap: Option<Money>,
    /// Whether a model without a price may be taken where there is no cap at all. Never under a hard budget or a cap.
    pub allow_unpriced: bool,
    /// When to save.
    pub mode: ModeRules,
    /// How many hundredths of a task's complexity count in save mode: 50 by default.
    pub save_percent: u8,
}

impl Default for Router {
    fn default() -> Self {
        Self {
            models: Vec::new(),
            request_cap: None,
            allow_unpriced: false,
            mode: ModeRules::default(),
            save_percent: 50,
        }
    }
}

/// A task, and what is known of the money there is for it.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct RouteRequest<'a> {
    /// The task.
    pub task: Task<'a>,
    /// When: prices have dates.
    pub at: Timestamp,
    /// What the model must be able to do.
    pub needs: &'a [&'a str],
    /// How the budgets stand that the task is charged to.
    pub budgets: &'a [BudgetState],
    /// The mode of the last decision for these budgets.
    pub mode: Mode,
    /// Models that were tried and failed, or must not be taken for another reason.
    pub excluded: &'a [ModelId],
}

impl<'a> RouteRequest<'a> {
    /// A task without budgets.
    #[must_use]
    pub const fn new(task: Task<'a>, at: Timestamp) -> Self {
        Self {
            task,
            at,
            needs: &[],
            budgets: &[],
            mode: Mode::Normal,
            excluded: &[],
        }
    }

    /// The same for a model that can do all of this.
    #[must_use]
    pub const fn needing(mut self, needs: &'a [&'a str]) -> Self {
        self.needs = needs;
        self
    }

    /// The same charged to these budgets, after a decision in this mode.
    #[must_use]
    pub const fn charged_to(mut self, budgets: &'a [BudgetState], mode: Mode) -> Self {
        self.budgets = budgets;
        self.mode = mode;
        self
    }

    /// The same without these models. A fallback asks again, with the models that failed: budgets and caps are checked anew
    /// for the one that takes over.
    #[must_use]
    pub const fn excluding(mut self, excluded: &'a [ModelId]) -> Self {
        self.excluded = excluded;
        self
    }
}

/// What was thought of one model.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(rename_all = "snake_case")
)]
#[non_exhaustive]
pub enum RouteVerdict {
    /// It takes the task.
    Chosen,
    /// It could, and another was better: cheaper, or strong enough where this one is not.
    Passed,
    /// It was tried, or must not be taken.
    Excluded,
    /// It cannot do something that is needed.
    Lacks(String),
    /// The task does not fit into what it can read and write.
    TooLong,
    /// Its price is not known.
    Unpriced,
    /// It may cost more than one call may.
    OverRequestCap,
    /// It may cost more than is left of a hard budget.
    OverBudget(String),
}

/// One model in a decision.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct RouteCandidate {
    /// Which.
    pub model: ModelId,
    /// How strong it is.
    pub strength: u8,
    /// The most the task can cost there; `None` if its price is not known.
    pub at_most: Option<Money>,
    /// What was thought of it.
    pub verdict: RouteVerdict,
}

/// Why a decision came out as it did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(rename_all = "snake_case")
)]
#[non_exhaustive]
pub enum RouteReason {
    /// The cheapest of those that are strong enough.
    CheapestStrongEnough,
    /// None is strong enough; the strongest of those that may be taken.
    StrongestLeft,
    /// No model may be taken.
    NoneLeft,
}

/// A decision: everything that led to it, for the trace.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Route {
    /// The model that takes the task, if there is one.
    pub model: Option<ModelId>,
    /// Why.
    pub reason: RouteReason,
    /// The mode it was decided in. It is the next decision's last one.
    pub mode: Mode,
    /// How hard the task looks.
    pub complexity: Complexity,
    /// How strong a model was looked for, in this mode.
    pub strength_wanted: u8,
    /// What was thought of each model, in the order of the configuration.
    pub candidates: Vec<RouteCandidate>,
    /// How the budgets stood.
    pub budgets: Vec<BudgetState>,
}

impl Router {
    /// A router over these models.
    #[must_use]
    pub fn new(models: impl IntoIterator<Item = RouteModel>) -> Self {
        Self {
            models: models.into_iter().collect(),
            ..Self::default()
        }
    }

    /// The same with a cap on what one call may cost.
    #[must_use]
    pub const fn with_request_cap(mut self, cap: Money) -> Self {
        self.request_cap = Some(cap);
        self
    }

    /// Decides which model takes a task.
    ///
    /// A model may be taken if it can do what is needed, if the task fits into it, and if the most it can cost is known and
    /// within the cap and every hard budget. Of those that are strong enough for the task the cheapest is taken; if none is,
    /// the strongest. In save mode a task counts for half as hard, in an emergency for not hard at all.
    ///
    /// It is a pure function, and says everything it went by.
    #[must_use]
    pub fn route(&self, book: &PriceBook, request: &RouteRequest<'_>) -> Route {
        let complexity = complexity(&request.task);
        let mode = self.mode.next_of(request.mode, request.budgets);
        let wanted = match mode {
            Mode::Normal => complexity.score,
            Mode::Save => {
                let part =
                    u16::from(complexity.score) * u16::from(self.save_percent.min(100)) / 100;
                u8::try_from(part).unwrap_or(complexity.score)
            }
            Mode::Emergency => 0,
        };
        let judged = self
            .models
            .iter()
            .map(|model| self.judge(book, request, model));
        let mut candidates: Vec<RouteCandidate> = judged.collect();

        let may =
            |(_, candidate): &(usize, &RouteCandidate)| candidate.verdict == RouteVerdict::Passed;
        // Where a price is not known there is no cap; a known one is preferred. Of equals the first.
        let cheapest = candidates
            .iter()
            .enumerate()
            .filter(may)
            .filter(|(_, candidate)| candidate.strength >= wanted)
            .min_by_key(|(at, candidate)| (candidate.at_most.is_none(), candidate.at_most, *at));
        let strongest = candidates
            .iter()
            .enumerate()
            .filter(may)
            .max_by_key(|(at, candidate)| (candidate.strength, std::cmp::Reverse(*at)));
        let (reason, chosen) = match (cheapest, strongest) {
            (Some((at, _)), _) => (RouteReason::CheapestStrongEnough, Some(at)),
            (None, Some((at, _))) => (RouteReason::StrongestLeft, Some(at)),
            (None, None) => (RouteReason::NoneLeft, None),
        };
        let chosen = chosen.and_then(|at| candidates.get_mut(at));
        let model = chosen.map(|candidate| {
            candidate.verdict = RouteVerdict::Chosen;
            candidate.model.clone()
        });
        Route {
            model,
            reason,
            mode,
            complexity,
            strength_wanted: wanted,
            candidates,
            budgets: request.budgets.to_vec(),
        }
    }

    fn judge(
        &self,
        book: &PriceBook,
        request: &RouteRequest<'_>,
        candidate: &RouteModel,
    ) -> RouteCandidate {
        let task = &request.task;
        let call = CallFacts::new(candidate.model.clone(), request.at);
        let facts = EstimateFacts::new(task.input, task.output_max);
        // A cost that does not fit is over every cap: it is taken for unknown.
        let at_most = estimate(book, &call, &facts).ok().flatten();
        let verdict = self.verdict(book, request, candidate, at_most);
        RouteCandidate {
            model: candidate.model.clone(),
            strength: candidate.strength,
            at_most,
            verdict,
        }
    }

    /// What keeps a model out, or that nothing does.
    fn verdict(
        &self,
        book: &PriceBook,
        request: &RouteRequest<'_>,
        candidate: &RouteModel,
        at_most: Option<Money>,
    ) -> RouteVerdict {
        if request.excluded.contains(&candidate.model) {
            return RouteVerdict::Excluded;
        }
        let has = |need: &str| candidate.capabilities.iter().any(|own| own == need);
        if let Some(need) = request.needs.iter().find(|need| !has(need)) {
            return RouteVerdict::Lacks((*need).to_owned());
        }
        if !fits(book, request, &candidate.model) {
            return RouteVerdict::TooLong;
        }
        let is_capped = self.request_cap.is_some() || request.budgets.iter().any(|b| b.hard);
        let Some(at_most) = at_most else {
            return match self.allow_unpriced && !is_capped {
                true => RouteVerdict::Passed,
                false => RouteVerdict::Unpriced,
            };
        };
        if self.request_cap.is_some_and(|cap| at_most > cap) {
            return RouteVerdict::OverRequestCap;
        }
        let mut hard = request.budgets.iter().filter(|budget| budget.hard);
        match hard.find(|budget| at_most > budget.remaining()) {
            Some(budget) => RouteVerdict::OverBudget(budget.category.clone()),
            None => RouteVerdict::Passed,
        }
    }
}

/// Whether a task fits into what a model reads and writes, as far as the table knows.
fn fits(book: &PriceBook, request: &RouteRequest<'_>, model: &ModelId) -> bool {
    let (input, output) = (request.task.input.get(), request.task.output_max.get());
    let Some(found) = book.resolve(model.provider(), &[model.model()], request.at) else {
        return true;
    };
    let window = found.row.context_window();
    window.is_none_or(|window| input <= window)
        && found.row.output_max().is_none_or(|most| output <= most)
}
