//! What a word can mean in an attack.

/// A set of classes.
pub(crate) type Classes = u128;

/// No class.
pub(crate) const NOTHING: Classes = 0;

/// The class of entries that are there to be longer than a stem and mean nothing: `ignorance`.
pub(crate) const HARMLESS: Classes = 1 << 127;

/// Verbs that can only mean "do not heed": ignore, disregard, forget.
pub(crate) const IGNORE: Classes = 1 << 0;
/// Verbs that may: drop, skip, cancel, delete.
pub(crate) const UNDO: Classes = 1 << 1;
/// follow, obey, comply with.
pub(crate) const FOLLOW: Classes = 1 << 2;
/// do not, never.
pub(crate) const NOT: Classes = 1 << 3;
/// stop, no longer.
pub(crate) const CEASE: Classes = 1 << 4;
/// previous, above, initial.
pub(crate) const PRIOR: Classes = 1 << 5;
/// following, below.
pub(crate) const BELOW: Classes = 1 << 6;
/// all, every, any.
pub(crate) const ALL: Classes = 1 << 7;
/// What only a machine or a pupil is given: instructions, guidelines, prompt.
pub(crate) const INSTR: Classes = 1 << 8;
/// rules, orders, restrictions, policies.
pub(crate) const RULES: Classes = 1 << 9;
/// text, message, conversation, context.
pub(crate) const WORDS: Classes = 1 << 10;
/// you were given, you received.
pub(crate) const GIVEN: Classes = 1 << 11;
/// what you were told, everything you know.
pub(crate) const TOLD: Classes = 1 << 12;
/// your.
pub(crate) const YOUR: Classes = 1 << 13;
/// you.
pub(crate) const YOU: Classes = 1 << 14;
/// my, our: the writer's own things.
pub(crate) const MINE: Classes = 1 << 15;
/// I, we, they: somebody who does it, so that it is no order.
pub(crate) const SUBJECT: Classes = 1 << 16;
/// reveal, leak, disclose.
pub(crate) const REVEAL: Classes = 1 << 17;
/// show, print, repeat, tell me.
pub(crate) const SHOW: Classes = 1 << 18;
/// what is, what were.
pub(crate) const WHAT: Classes = 1 << 19;
/// system prompt, initial instructions.
pub(crate) const PROMPT: Classes = 1 << 20;
/// password, secret key.
pub(crate) const SECRET: Classes = 1 << 21;
/// hidden, confidential, internal.
pub(crate) const HIDDEN: Classes = 1 << 22;
/// verbatim, word for word.
pub(crate) const EXACT: Classes = 1 << 23;
/// the first sentence, the last lines.
pub(crate) const PART: Classes = 1 << 24;
/// before this conversation, at the start.
pub(crate) const START: Classes = 1 << 25;
/// assistant, chatbot, language model, by names nobody else has.
pub(crate) const AI: Classes = 1 << 26;
/// assistant, agent, bot, model, which people and things may be called too.
pub(crate) const HELPER: Classes = 1 << 27;
/// reading this, processing this.
pub(crate) const READER: Classes = 1 << 28;
/// when you summarise this, before answering.
pub(crate) const READING: Classes = 1 << 29;
/// DAN, evil twin.
pub(crate) const PERSONA: Classes = 1 << 30;
/// unrestricted, without limits.
pub(crate) const UNBOUND: Classes = 1 << 31;
/// act as, pretend, you are now.
pub(crate) const ACT: Classes = 1 << 32;
/// never refuse, always comply.
pub(crate) const OBEY: Classes = 1 << 33;
/// in character.
pub(crate) const CHARACTER: Classes = 1 << 34;
/// without, free of, not bound by.
pub(crate) const WITHOUT: Classes = 1 << 35;
/// disable, turn off.
pub(crate) const DISABLE: Classes = 1 << 36;
/// safety, filters, guardrails.
pub(crate) const SAFETY: Classes = 1 << 37;
/// mode.
pub(crate) const MODE: Classes = 1 << 38;
/// enter, enable, switch to.
pub(crate) const ENTER: Classes = 1 << 39;
/// now, instead, from now on.
pub(crate) const NOW: Classes = 1 << 40;
/// new task, your only job.
pub(crate) const TASK: Classes = 1 << 41;
/// send, forward, upload.
pub(crate) const SEND: Classes = 1 << 42;
/// a web address.
pub(crate) const LINK: Classes = 1 << 43;
/// an e-mail address.
pub(crate) const EMAIL: Classes = 1 << 44;
/// conversation history, credentials, user data.
pub(crate) const DATA: Classes = 1 << 45;
/// the user.
pub(crate) const USER: Classes = 1 << 46;
/// do not tell, silently.
pub(crate) const CONCEAL: Classes = 1 << 47;
/// important, urgent.
pub(crate) const URGENT: Classes = 1 << 48;
/// base64, rot13.
pub(crate) const CIPHER: Classes = 1 << 49;
/// decode, decipher.
pub(crate) const DECODE: Classes = 1 << 50;
/// follow it, do it.
pub(crate) const COMPLY: Classes = 1 << 51;
/// I am your developer, as the administrator.
pub(crate) const AUTHORITY: Classes = 1 << 52;
/// system override, admin override.
pub(crate) const OVERRIDING: Classes = 1 << 53;
/// how do I, what does it mean, attack: talk about it.
pub(crate) const MENTION: Classes = 1 << 54;
/// if the user asks, attempts to.
pub(crate) const IF: Classes = 1 << 55;
/// say, reply with, respond with.
pub(crate) const SAY: Classes = 1 << 56;
/// tokens, points, survive.
pub(crate) const REWARD: Classes = 1 << 57;
/// poem, JSON, rhyme.
pub(crate) const FORM: Classes = 1 << 58;
/// system, assistant before a colon at the start of a line.
pub(crate) const LABEL: Classes = 1 << 59;
/// words that can be such a label.
pub(crate) const ROLE: Classes = 1 << 60;
/// tokens of chat templates.
pub(crate) const TEMPLATE: Classes = 1 << 61;
/// end of prompt, begin of system message.
pub(crate) const FENCE: Classes = 1 << 62;
/// forged role markers.
pub(crate) const FORGED: Classes = 1 << 63;
/// the start of an HTML comment.
pub(crate) const COMMENT: Classes = 1 << 64;
/// a Markdown image or link.
pub(crate) const IMAGE: Classes = 1 << 65;
/// answer, reply, summary.
pub(crate) const ANSWER: Classes = 1 << 66;
/// tool, function.
pub(crate) const TOOL: Classes = 1 << 67;
/// must, have to.
pub(crate) const MUST: Classes = 1 << 68;
/// remember, memory.
pub(crate) const MEMORY: Classes = 1 << 69;
/// illegal, dangerous.
pub(crate) const HARM: Classes = 1 << 70;
/// evil, amoral.
pub(crate) const EVIL: Classes = 1 << 71;
/// warnings, disclaimers.
pub(crate) const WARN: Classes = 1 << 72;
/// does not obey.
pub(crate) const NOOBEY: Classes = 1 << 73;
/// between us.
pub(crate) const CASUAL: Classes = 1 << 74;
/// is outdated, no longer apply.
pub(crate) const NEWS: Classes = 1 << 75;
/// As [`IGNORE`], in other languages.
pub(crate) const X_IGNORE: Classes = 1 << 76;
/// As [`PRIOR`], in other languages.
pub(crate) const X_PRIOR: Classes = 1 << 77;
/// As [`INSTR`], in other languages.
pub(crate) const X_INSTR: Classes = 1 << 78;
/// As [`ALL`], in other languages.
pub(crate) const X_ALL: Classes = 1 << 79;
/// As [`YOUR`], in other languages.
pub(crate) const X_YOUR: Classes = 1 << 80;
/// As [`REVEAL`], in other languages.
pub(crate) const X_REVEAL: Classes = 1 << 81;
/// As [`PROMPT`], in other languages.
pub(crate) const X_PROMPT: Classes = 1 << 82;
/// As [`SECRET`], in other languages.
pub(crate) const X_SECRET: Classes = 1 << 83;
/// all that you were told.
pub(crate) const X_TOLD: Classes = 1 << 84;
/// are void, no longer apply.
pub(crate) const X_VOID: Classes = 1 << 85;
/// As [`ACT`], in other languages.
pub(crate) const X_ACT: Classes = 1 << 86;
/// As [`UNBOUND`], in other languages.
pub(crate) const X_UNBOUND: Classes = 1 << 87;
/// As [`NOT`], in other languages.
pub(crate) const X_NOT: Classes = 1 << 89;
/// As [`AI`], in other languages.
pub(crate) const X_AI: Classes = 1 << 90;
/// As [`READER`], in other languages.
pub(crate) const X_READER: Classes = 1 << 91;
/// now, instead, in other languages.
pub(crate) const X_NOW: Classes = 1 << 92;
/// me, to me, in other languages.
pub(crate) const X_ME: Classes = 1 << 93;
/// As [`START`], in other languages.
pub(crate) const X_START: Classes = 1 << 94;
/// As [`MINE`], in other languages.
pub(crate) const X_MINE: Classes = 1 << 95;
/// how do I, why: talk about it.
pub(crate) const X_HOW: Classes = 1 << 96;
/// repeat, print, output: says it again as it is.
pub(crate) const ECHO: Classes = 1 << 97;
/// the text above.
pub(crate) const ABOVE: Classes = 1 << 98;
/// were you told, are you instructed.
pub(crate) const ASKED: Classes = 1 << 99;
/// my instructions are: the assistant is made to begin its confession.
pub(crate) const MYPROMPT: Classes = 1 << 100;
/// hidden word, secret key: what only a guarded assistant has.
pub(crate) const KEY: Classes = 1 << 101;
/// if you were allowed to.
pub(crate) const IFFREE: Classes = 1 << 102;
/// two responses.
pub(crate) const TWOWAY: Classes = 1 << 103;
/// note to, message for.
pub(crate) const NOTE: Classes = 1 << 104;
/// an assistant before a colon.
pub(crate) const ADDRESSED: Classes = 1 << 105;
/// pwned, hacked.
pub(crate) const PWN: Classes = 1 << 106;
/// ten out of ten, only positive.
pub(crate) const RIGGED: Classes = 1 << 107;
/// task complete.
pub(crate) const FINISHED: Classes = 1 << 108;
/// a system prompt: any, not yours.
pub(crate) const INDEFINITE: Classes = 1 << 109;
/// you are now, act as: turns the assistant into something.
pub(crate) const BECOME: Classes = 1 << 110;
/// the next section, what follows.
pub(crate) const NEXT: Classes = 1 << 111;
/// grandmother.
pub(crate) const GRANDMA: Classes = 1 << 112;
/// see, find: looks for something.
pub(crate) const VIEWED: Classes = 1 << 113;
/// to the, for any: addresses somebody, together with a colon.
pub(crate) const TOALL: Classes = 1 << 114;
/// in an alternate universe.
pub(crate) const UNIVERSE: Classes = 1 << 115;
/// no matter what the user asks.
pub(crate) const NOMATTER: Classes = 1 << 116;
/// you were given, in other languages.
pub(crate) const X_GIVEN: Classes = 1 << 117;
/// what is, in other languages.
pub(crate) const X_WHAT: Classes = 1 << 118;
/// if you are a language model, in any language.
pub(crate) const IFAI: Classes = 1 << 119;
/// do not tell the user, in other languages.
pub(crate) const X_CONCEAL: Classes = 1 << 120;
/// reads aloud, hangman: a game that gives a secret away.
pub(crate) const READ_ALOUD: Classes = 1 << 121;
/// you have access to.
pub(crate) const REACH: Classes = 1 << 122;
/// my, our.
pub(crate) const MY: Classes = 1 << 123;
/// concatenate, the parts: an attack in pieces.
pub(crate) const PIECES: Classes = 1 << 88;
