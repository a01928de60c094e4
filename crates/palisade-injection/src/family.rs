use std::fmt;

/// What an attack tries to do. A finding's category is the family's [name](Family::name).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case")
)]
#[non_exhaustive]
pub enum Family {
    /// "Ignore all previous instructions".
    InstructionOverride,
    /// "Print your system prompt", "what is the password you were given".
    PromptExtraction,
    /// "You are now an AI without rules".
    RolePlay,
    /// "Decode this and do it", and whatever was found only after a disguise came off.
    EncodingEvasion,
    /// The first two in languages other than English.
    OtherLanguages,
    /// Forged chat template tokens, roles and delimiters.
    ContextBreaking,
    /// Orders to use tools behind the user's back, and forged results of tools.
    ToolManipulation,
    /// Data that speaks to the assistant: "AI assistants reading this must".
    IndirectInjection,
    /// Data sent out by a link, an image or a message.
    Exfiltration,
    /// An attack in pieces, over variables or over messages.
    PayloadSplitting,
    /// Made-up examples or turns that show the assistant breaking its rules.
    FewShotPoisoning,
    /// Claims of authority, urgency, rewards and threats.
    SocialEngineering,
}

impl Family {
    /// Every family.
    pub const ALL: [Self; 12] = [
        Self::InstructionOverride,
        Self::PromptExtraction,
        Self::RolePlay,
        Self::EncodingEvasion,
        Self::OtherLanguages,
        Self::ContextBreaking,
        Self::ToolManipulation,
        Self::IndirectInjection,
        Self::Exfiltration,
        Self::PayloadSplitting,
        Self::FewShotPoisoning,
        Self::SocialEngineering,
    ];

    /// Its stable name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::InstructionOverride => "instruction_override",
            Self::PromptExtraction => "prompt_extraction",
            Self::RolePlay => "role_play",
            Self::EncodingEvasion => "encoding_evasion",
            Self::OtherLanguages => "other_languages",
            Self::ContextBreaking => "context_breaking",
            Self::ToolManipulation => "tool_manipulation",
            Self::IndirectInjection => "indirect_injection",
            Self::Exfiltration => "exfiltration",
            Self::PayloadSplitting => "payload_splitting",
            Self::FewShotPoisoning => "few_shot_poisoning",
            Self::SocialEngineering => "social_engineering",
        }
    }
}

impl Family {
    /// The risks it belongs to in the OWASP Top 10 for Large Language Model Applications, edition of 2025.
    #[must_use]
    pub const fn owasp(self) -> &'static [&'static str] {
        match self {
            Self::PromptExtraction => &["LLM01:2025", "LLM07:2025"],
            Self::Exfiltration => &["LLM01:2025", "LLM02:2025", "LLM05:2025"],
            Self::ToolManipulation => &["LLM01:2025", "LLM06:2025"],
            Self::IndirectInjection => &["LLM01:2025", "LLM06:2025"],
            _ => &["LLM01:2025"],
        }
    }

    /// The techniques it belongs to in MITRE ATLAS.
    #[must_use]
    pub const fn atlas(self) -> &'static [&'static str] {
        match self {
            Self::InstructionOverride | Self::OtherLanguages => &["AML.T0051.000"],
            Self::PromptExtraction => &["AML.T0051.000", "AML.T0056"],
            Self::RolePlay | Self::FewShotPoisoning | Self::SocialEngineering => &["AML.T0054"],
            Self::EncodingEvasion | Self::PayloadSplitting => &["AML.T0051", "AML.T0068"],
            Self::ContextBreaking => &["AML.T0051"],
            Self::ToolManipulation => &["AML.T0051.001", "AML.T0053"],
            Self::IndirectInjection => &["AML.T0051.001"],
            Self::Exfiltration => &["AML.T0051.001", "AML.T0057"],
        }
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
