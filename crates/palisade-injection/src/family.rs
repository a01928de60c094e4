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
    /// Data that speaks to the assistant: forged results, exfiltration, hidden orders.
    ToolManipulation,
}

impl Family {
    /// Every family.
    pub const ALL: [Self; 7] = [
        Self::InstructionOverride,
        Self::PromptExtraction,
        Self::RolePlay,
        Self::EncodingEvasion,
        Self::OtherLanguages,
        Self::ContextBreaking,
        Self::ToolManipulation,
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
        }
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
