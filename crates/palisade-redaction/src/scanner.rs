use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::Arc,
};

use palisade_core::Finding;

#[cfg(feature = "regex")]
use crate::own::OwnRule;
use crate::{
    ConfigError, Kind, Locale, Mask, Policy, Redactor, Rule, assignment, command,
    engine::Engine,
    gate::{Heads, Wanted},
    hidden, http,
    kind::Label,
    mask,
    own::{self, Keywords, Patterns},
    pem, pii,
    redactor::redact_whole,
    token::{self, Hit, TokenRules},
    url,
    view::View,
};

/// Finds secrets, personal data, blocked words and dangerous commands. Cheap to clone; safe to share.
///
/// ```
/// use palisade_redaction::Scanner;
///
/// let scanner = Scanner::new();
/// let text = "mail jo@mail.example, then set DB_PASSWORD=k00B!tlmawn7";
/// assert_eq!(scanner.redact(text), "mail [REDACTED:email], then set DB_PASSWORD=[REDACTED:password]");
/// ```
#[derive(Clone)]
pub struct Scanner {
    rules: Arc<Rules>,
}

impl Scanner {
    /// A scanner with every built-in rule, the full mask and the policy for outputs.
    #[must_use]
    pub fn new() -> Self {
        let settings = ScannerBuilder::default();
        Self {
            rules: Arc::new(Rules::built_in(&settings)),
        }
    }

    /// A scanner to be set up.
    pub fn builder() -> ScannerBuilder {
        ScannerBuilder::default()
    }

    /// Everything that was found, in the order of the text. Findings of one kind do not overlap. Takes time linear in
    /// the length of the text, and no memory where nothing is found.
    #[must_use]
    pub fn scan(&self, text: &str) -> Vec<Finding> {
        self.scan_bytes(text.as_bytes())
    }

    /// [`scan`](Self::scan) for text that need not be UTF-8.
    #[must_use]
    pub fn scan_bytes(&self, text: &[u8]) -> Vec<Finding> {
        let hits = self.rules.hits(text);
        let mut findings: Vec<Finding> = Vec::new();
        for hit in hits {
            // Of two findings of a kind that share text, the first in order stays.
            let shared =
                findings.iter().rev().take(8).any(|kept| {
                    kept.category == hit.label.kind.as_str() && kept.range.end > hit.start
                });
            if !shared {
                findings.push(self.rules.finding(hit));
            }
        }
        findings
    }

    /// The text with everything masked that the scanner's policy would redact or block: the same text that a
    /// [`Redactor`] gives for it, in whatever pieces it comes.
    #[must_use]
    pub fn redact(&self, text: &str) -> String {
        redact_whole(&self.rules, text)
    }

    /// A redactor for one stream of text.
    #[must_use]
    pub fn redactor(&self) -> Redactor {
        Redactor::new(Arc::clone(&self.rules))
    }

    pub(crate) fn rules(&self) -> &Rules {
        &self.rules
    }

    /// The policy by which this scanner redacts.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.rules.policy
    }

    /// All rules that are on and what they find, own rules last.
    pub fn kinds(&self) -> impl Iterator<Item = (&str, Kind)> {
        let kinds: BTreeMap<&str, Kind> = built_in_labels()
            .map(|label| (label.id, label.kind))
            .collect();
        let built_in = kinds.into_iter().filter(|(id, _)| self.rules.is_on(id));
        let own = self.rules.own_ids.iter().zip(self.rules.patterns.kinds());
        built_in.chain(own.map(|(id, kind)| (id.as_ref(), kind)))
    }

    /// The ids of all rules that are on, own rules last.
    #[must_use]
    pub fn rule_ids(&self) -> Vec<&str> {
        let built_in = built_in_labels()
            .map(|label| label.id)
            .collect::<BTreeSet<_>>();
        built_in
            .into_iter()
            .filter(|id| self.rules.is_on(id))
            .chain(self.rules.own_ids.iter().map(AsRef::as_ref))
            .collect()
    }
}

impl Default for Scanner {
    fn default() -> Self {
        Self::new()
    }
}

/// Shows the settings, never a text or a key.
impl fmt::Debug for Scanner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scanner")
            .field("secrets", &self.rules.secrets)
            .field("pii", &self.rules.pii)
            .field("keywords", &self.rules.keywords)
            .field("commands", &self.rules.commands)
            .field("mask", &self.rules.mask)
            .field("policy", &self.rules.policy)
            .finish_non_exhaustive()
    }
}

/// What a [`Scanner`] looks for and how it redacts. Everything is on to begin with.
///
/// ```
/// use palisade_redaction::{Kind, Mask, Scanner};
///
/// # fn main() -> Result<(), palisade_redaction::ConfigError> {
/// let scanner = Scanner::builder()
///     .with_kind(Kind::Command, false)
///     .without_rule("ipv4")
///     .with_keyword("project orion")
///     .with_mask(Mask::Full)
///     .build()?;
/// assert_eq!(scanner.scan("Project Orion runs on 198.51.100.7").len(), 1);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct ScannerBuilder {
    secrets: bool,
    pii: bool,
    keywords: bool,
    commands: bool,
    silent: BTreeSet<Locale>,
    off: Vec<String>,
    own_keywords: Vec<String>,
    #[cfg(feature = "regex")]
    own_rules: Vec<OwnRule>,
    mask: Mask,
    policy: Policy,
}

impl Default for ScannerBuilder {
    fn default() -> Self {
        Self {
            secrets: true,
            pii: true,
            keywords: true,
            commands: true,
            silent: BTreeSet::new(),
            off: Vec::new(),
            own_keywords: Vec::new(),
            #[cfg(feature = "regex")]
            own_rules: Vec::new(),
            mask: Mask::Full,
            policy: Policy::for_outputs(),
        }
    }
}

impl ScannerBuilder {
    /// Switches the built-in rules of one kind on or off. Own rules and keywords stay.
    pub fn with_kind(mut self, kind: Kind, on: bool) -> Self {
        match kind {
            Kind::Secret => self.secrets = on,
            Kind::Pii => self.pii = on,
            Kind::Keyword => self.keywords = on,
            Kind::Command => self.commands = on,
        }
        self
    }

    /// Whether dates of birth and postal addresses are looked for in the words of this language. All are on to begin
    /// with.
    pub fn with_locale(mut self, locale: Locale, on: bool) -> Self {
        if on {
            self.silent.remove(&locale);
        } else {
            self.silent.insert(locale);
        }
        self
    }

    /// Switches one built-in rule off.
    pub fn without_rule(mut self, id: impl Into<String>) -> Self {
        self.off.push(id.into());
        self
    }

    /// Blocks a word or a phrase of the operator's own, in any case and with any blanks between its parts. Its findings
    /// have the id `blocked_keyword`.
    pub fn with_keyword(mut self, keyword: impl Into<String>) -> Self {
        self.own_keywords.push(keyword.into());
        self
    }

    /// Adds a rule of the operator's own.
    #[cfg(feature = "regex")]
    pub fn with_rule(mut self, rule: OwnRule) -> Self {
        self.own_rules.push(rule);
        self
    }

    /// What is written in place of what is taken out.
    pub fn with_mask(mut self, mask: Mask) -> Self {
        self.mask = mask;
        self
    }

    /// Which findings are taken out: those for which this policy says to redact or to block.
    pub fn with_policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    /// The scanner.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] for a rule that does not exist, an id that is taken, a keyword or pattern that cannot be used,
    /// and for more than 250 of either.
    pub fn build(self) -> Result<Scanner, ConfigError> {
        for id in &self.off {
            if !built_in_labels().any(|label| label.id == *id) {
                return Err(ConfigError::UnknownRule { id: id.clone() });
            }
        }
        let mut rules = Rules::built_in(&self);
        rules.own_keywords = Keywords::new(&self.own_keywords)?;
        rules.heads = heads(&rules.own_keywords);
        #[cfg(feature = "regex")]
        {
            if self.own_rules.len() > own::OWN_MAX {
                return Err(ConfigError::TooMany {
                    count: self.own_rules.len(),
                    limit: own::OWN_MAX,
                });
            }
            for rule in &self.own_rules {
                let plain = rule
                    .id
                    .bytes()
                    .all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-'));
                let taken = built_in_labels().any(|label| label.id == rule.id)
                    || rules.own_ids.iter().any(|id| **id == *rule.id);
                if !plain || !(1..=MASK_ID_MAX).contains(&rule.id.len()) || taken {
                    return Err(ConfigError::RuleId {
                        id: rule.id.clone(),
                    });
                }
                rules.own_ids.push(rule.id.as_str().into());
            }
            rules.patterns = Patterns::new(&self.own_rules)?;
        }
        Ok(Scanner {
            rules: Arc::new(rules),
        })
    }
}

/// The longest id of a rule, and so the longest mask that is recognised.
pub(crate) const MASK_ID_MAX: usize = 48;

/// Everything a pass asks.
pub(crate) struct Rules {
    pub(crate) secrets: bool,
    pub(crate) pii: bool,
    pub(crate) keywords: bool,
    pub(crate) commands: bool,
    /// Whether built-in keywords or commands are looked for.
    pub(crate) built_in_dangers: bool,
    pub(crate) tokens: TokenRules,
    pub(crate) heads: Heads,
    pub(crate) own_keywords: Keywords,
    pub(crate) patterns: Patterns,
    silent: BTreeSet<Locale>,
    off: BTreeSet<String>,
    own_ids: Vec<Box<str>>,
    pub(crate) mask: Mask,
    pub(crate) policy: Policy,
}

impl Rules {
    fn built_in(settings: &ScannerBuilder) -> Self {
        let off: BTreeSet<String> = settings.off.iter().cloned().collect();
        Self {
            secrets: settings.secrets,
            pii: settings.pii,
            keywords: settings.keywords || !settings.own_keywords.is_empty(),
            commands: settings.commands,
            built_in_dangers: settings.keywords || settings.commands,
            tokens: TokenRules::new(|id| !off.contains(id)),
            heads: heads(&Keywords::default()),
            own_keywords: Keywords::default(),
            patterns: Patterns::default(),
            silent: settings.silent.clone(),
            off: if settings.keywords {
                off
            } else {
                off.into_iter()
                    .chain(
                        command::LABELS
                            .iter()
                            .filter(|l| l.kind == Kind::Keyword)
                            .map(|l| l.id.to_owned()),
                    )
                    .collect()
            },
            own_ids: Vec::new(),
            mask: settings.mask.clone(),
            policy: settings.policy.clone(),
        }
    }

    pub(crate) fn wanted(&self) -> Wanted {
        Wanted {
            secrets: self.secrets,
            pii: self.pii,
            // What announces personal data is told by its first word as well.
            dangers: self.keywords || self.commands || self.pii,
        }
    }

    pub(crate) fn speaks(&self, locale: Locale) -> bool {
        !self.silent.contains(&locale)
    }

    #[inline]
    pub(crate) fn is_on(&self, id: &str) -> bool {
        self.off.is_empty() || !self.off.contains(id)
    }

    pub(crate) fn takes_danger(&self, label: Label) -> bool {
        (label.kind != Kind::Command || self.commands) && self.is_on(label.id)
    }

    /// The id of a rule, own ones included.
    pub(crate) fn id(&self, label: Label) -> &str {
        label
            .own
            .and_then(|own| self.own_ids.get(usize::from(own)))
            .map_or(label.id, AsRef::as_ref)
    }

    pub(crate) fn finding(&self, hit: Hit) -> Finding {
        let rule = match label_id(self, hit.label) {
            Ok(id) => Cow::Borrowed(id),
            Err(id) => Cow::Owned(id.to_owned()),
        };
        Finding::new(
            rule,
            hit.label.kind.as_str(),
            hit.label.severity,
            hit.start..hit.end,
            hit.confidence,
        )
    }

    /// Everything found in a whole text, in order.
    pub(crate) fn hits(&self, text: &[u8]) -> Vec<Hit> {
        let mut hits = Vec::new();
        Engine::default().advance(self, text, 0, 0, true, &mut hits);
        self.patterns.advance(text, 0, 0, true, &mut hits);
        hits.sort_by_key(order);
        hits
    }

    /// The end of one of our own masks that begins at `at`.
    pub(crate) fn mask_end(&self, view: &View<'_>, at: usize) -> Option<usize> {
        if !view.has(at, b"[REDACTED:") {
            return None;
        }
        let id = at + 10;
        let end = view.run(
            id,
            MASK_ID_MAX,
            |b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-'),
        );
        let name = view.slice(id, end);
        let known = built_in_labels().any(|label| label.id.as_bytes() == name)
            || self.own_ids.iter().any(|own| own.as_bytes() == name);
        let end = mask::tail_end(view, end);
        (known && view.at(end) == b']').then_some(end + 1)
    }
}

fn heads(keywords: &Keywords) -> Heads {
    let prefixes = Rule::all().iter().flat_map(|rule| rule.prefixes);
    Heads::new(
        command::heads().chain(pii::heads()),
        keywords.words(),
        prefixes.map(|prefix| prefix.as_bytes()),
    )
}

fn label_id(rules: &Rules, label: Label) -> Result<&'static str, &str> {
    if label.own.is_some() {
        Err(rules.id(label))
    } else {
        Ok(label.id)
    }
}

/// The order in which hits are taken up: by where they begin, built-in secrets and personal data first, then the
/// longer one.
pub(crate) fn order(hit: &Hit) -> (usize, u8, usize, &'static str) {
    let rank = match (hit.label.own, hit.label.kind) {
        (Some(_), _) => 2,
        (None, Kind::Keyword | Kind::Command) => 1,
        (None, Kind::Secret | Kind::Pii) => 0,
    };
    (hit.start, rank, usize::MAX - hit.end, hit.label.id)
}

fn built_in_labels() -> impl Iterator<Item = Label> {
    Rule::all()
        .iter()
        .map(Rule::label)
        .chain(token::SHAPED)
        .chain(assignment::LABELS)
        .chain(http::LABELS)
        .chain([
            pem::LABEL,
            url::LABEL,
            url::TEAMS,
            own::KEYWORD,
            hidden::HEX,
        ])
        .chain(pii::labels())
        .chain(command::LABELS)
}
