/// How a provider's API reports usage.
///
/// The shapes differ in names, and in what they mean by them: whether cached tokens are inside the input, whether
/// reasoning is inside the output, which of two counts is billed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum UsageShape {
    /// `OpenAI`'s chat completions, and what speaks like it: Azure, Groq, Mistral, `DeepSeek`, Moonshot and many more.
    /// Cached tokens are inside the input, reasoning is inside the output.
    OpenAiChat,
    /// `OpenAI`'s responses, and other APIs of its that count `input_tokens`: realtime, transcription. As above.
    OpenAiResponses,
    /// Embeddings: input alone.
    Embeddings,
    /// Anthropic's messages, at whatever provider. Cached tokens are *outside* the input.
    AnthropicMessages,
    /// Google's `generateContent`. Cached tokens are inside the prompt, thoughts are *outside* the candidates.
    Gemini,
    /// Bedrock's Converse. Cached tokens are *outside* the input.
    BedrockConverse,
    /// Cohere: the billed units count, not the tokens.
    Cohere,
    /// xAI's chat: as `OpenAI`'s, but reasoning is *outside* the output where the total says so.
    XAiChat,
    /// Perplexity: as `OpenAI`'s, but reasoning and citations are *outside* the output, and the cost is stated.
    Perplexity,
    /// `OpenRouter`: as `OpenAI`'s, and the cost is stated, with that of a key of one's own beside it.
    OpenRouter,
}

impl UsageShape {
    /// The shape of an API at a provider, by OpenTelemetry's name of the provider and the name of the API:
    /// `chat_completions`, `responses`, `embeddings`, `messages`, `generate_content`, `converse`, `chat_v2`, `rerank`, …
    ///
    /// An API of another name has the shape its provider is known for, and `OpenAI`'s if it is known for none.
    #[must_use]
    pub fn of(provider: &str, api: &str) -> Self {
        let openai = match provider {
            "x_ai" | "xai" => Self::XAiChat,
            "perplexity" => Self::Perplexity,
            "openrouter" => Self::OpenRouter,
            _ => Self::OpenAiChat,
        };
        match api {
            "messages" => Self::AnthropicMessages,
            "generate_content" | "stream_generate_content" => Self::Gemini,
            "converse" | "converse_stream" => Self::BedrockConverse,
            _ if provider == "cohere" && api != "chat_completions" => Self::Cohere,
            "embeddings" | "responses" if matches!(openai, Self::Perplexity | Self::OpenRouter) => {
                openai
            }
            "embeddings" => Self::Embeddings,
            "responses" => Self::OpenAiResponses,
            "chat_completions" | "completions" => openai,
            _ => match provider {
                "anthropic" => Self::AnthropicMessages,
                "gcp.gemini" | "gcp.vertex_ai" => Self::Gemini,
                "aws.bedrock" => Self::BedrockConverse,
                _ => openai,
            },
        }
    }
}
