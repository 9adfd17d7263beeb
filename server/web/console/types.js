// The shapes of what travels between the console and the server, as PROTOCOL.md has them.

/** @typedef {"bot" | "waiting" | "owner" | "closed"} State */

/**
 * @typedef {object} Summary
 * @property {string} id
 * @property {State} state
 * @property {number} generation
 * @property {number} head
 * @property {number} created_at
 * @property {number} updated_at
 * @property {string} last_text
 * @property {string | null} last_from
 * @property {string | null} author
 * @property {boolean} visitor_online
 * @property {string | null} tag
 * @property {string | null} reason
 * @property {number} unread
 * @property {number} visitor_delivered newest seq that has reached the visitor's page
 * @property {number} visitor_read newest seq that the visitor has seen
 * @property {[number, number] | null} [rating] how the newest case that was rated was rated: score and best score
 */

/** @typedef {{ n: number, id: string, at: string, name: string, conversation: string | null, session: string | null, data: Record<string, unknown> }} StreamEvent */
/** @typedef {{ id: string, title: string, ok: boolean, detail: string }} Check */
/** @typedef {{ conversation: string | null, checks: Check[], events: StreamEvent[] }} Trial */

/** @typedef {{ text: string, cite: number | null }} Piece */

/**
 * @typedef {object} Citation
 * @property {number} number
 * @property {string} doc
 * @property {string} title
 * @property {string[]} heading
 * @property {string} excerpt
 * @property {[number, number]} mark
 * @property {string} url
 */

/**
 * @typedef {object} Message
 * @property {string} conversation
 * @property {number} seq
 * @property {"visitor" | "bot" | "owner" | "system"} from
 * @property {number} at
 * @property {string} text
 * @property {Piece[]} pieces
 * @property {Citation[]} citations
 * @property {string | null} draft_id
 * @property {string | null} client_msg_id
 * @property {string | null} author
 * @property {Card | null} [card]
 */

/** @typedef {{ label: string, value: string }} Row */
/**
 * What is shown with a message beside its text.
 * @typedef {{ kind: "choices", options: string[] } | { kind: "confirm", request: string, title: string, rows: Row[] } | { kind: "code", to: string }
 *   | { kind: "result", title: string, rows: Row[] } | { kind: "upload", what: string }
 *   | { kind: "file", id: string, name: string, bytes: number, media: string }} Card
 */

/**
 * @typedef {object} Suggestion
 * @property {string} id
 * @property {string} text
 * @property {Piece[]} pieces
 * @property {Citation[]} citations
 * @property {number} confidence
 * @property {number} for_seq
 */

/**
 * @typedef {object} Decision
 * @property {"send" | "hold" | "hand_off"} action
 * @property {string} rule
 * @property {string} reason
 * @property {string} why
 * @property {number | null} confidence
 * @property {number} [send_at]
 * @property {number} [hold_at]
 * @property {Record<string, number>} signals
 * @property {{ id: string, label: string, score: number }[]} intents
 * @property {number} for_seq
 * @property {string} mode
 * @property {string} drafter
 * @property {string} knowledge
 * @property {Record<string, number>} timings_ms
 */

/**
 * A draft in progress: the pieces that are finished and the tokens since.
 * @typedef {object} LiveDraft
 * @property {string} draft_id
 * @property {Piece[]} pieces
 * @property {string} tail
 * @property {Citation[]} citations
 * @property {number | null} confidence
 */

/**
 * @typedef {object} DraftFrame
 * @property {"draft"} type
 * @property {string} conversation
 * @property {string} draft_id
 * @property {"start" | "piece" | "token" | "stop"} phase
 * @property {Piece | null} [piece]
 * @property {string | null} [token]
 * @property {Citation[] | null} [citations]
 * @property {number | null} [confidence]
 */

/**
 * What `GET conversations/ID` answers; its draft may leave out what is empty.
 * @typedef {object} Opened
 * @property {Summary} conversation
 * @property {Message[]} messages
 * @property {Suggestion | null} suggestion
 * @property {Decision | null} decision
 * @property {(Partial<LiveDraft> & { draft_id: string }) | null} draft
 * @property {string[] | null} summary
 * @property {Reading[]} readings
 * @property {Named[]} named
 * @property {Task | null} [task]
 * @property {Row[]} [collected]
 * @property {Call[]} [calls]
 * @property {Ticket | null} [ticket]
 * @property {Vow | null} [promise]
 * @property {string | null} [verified]
 * @property {Survey[]} [surveys] what the visitor was asked after each case, and said
 * @property {number} [case] the newest case, from 1; 0 for none
 * @property {Rubric | null} [rubric] what the owner makes of it
 */

/** @typedef {{ case: number, kind: "csat" | "nps", scale: number, status: "open" | "answered" | "declined" | "expired", score: number | null, comment: string | null, asked_at: number, answered_at: number | null }} Survey */
/** @typedef {{ clarity: number, correctness: number, empathy: number, note: string }} Rubric 1 to 3 each */
/**
 * A chat that deserves a second look, or got one.
 * @typedef {object} Review
 * @property {string} conversation
 * @property {number} case
 * @property {"csat" | "nps" | "frustration" | null} why null where the owner has chosen it
 * @property {number | null} csat
 * @property {number | null} scale
 * @property {string | null} comment
 * @property {number | null} nps
 * @property {string | null} tag
 * @property {number} at
 * @property {Rubric | null} rubric
 * @property {"open" | "done"} status
 */

/** @typedef {{ title: string, at: string }} Task what is being done with the visitor step by step, and how far it is */
/** @typedef {{ minutes: number | null, due_at: number, kept_at: number | null }} Vow by when an answer was promised */

/**
 * One call of an action.
 * @typedef {object} Call
 * @property {string} id
 * @property {string} conversation
 * @property {string} action
 * @property {string} title
 * @property {"waiting_owner" | "ready" | "running" | "done" | "failed" | "unknown" | "refused"} status
 * @property {string | null} subject the proved contact that it is made for
 * @property {Row[]} arguments
 * @property {Row[]} result
 * @property {number} at
 * @property {{ at: number, what: string, detail: string }[]} events
 */

/** @typedef {"low" | "normal" | "high" | "urgent"} Priority */
/** @typedef {"open" | "pending" | "solved"} TicketStatus */
/**
 * @typedef {object} Ticket
 * @property {string} id
 * @property {number} number
 * @property {string} conversation
 * @property {string} subject
 * @property {string} summary
 * @property {string[]} tags
 * @property {Priority} priority
 * @property {TicketStatus} status
 * @property {string | null} email
 * @property {string} by
 * @property {number} created_at
 * @property {number} updated_at
 */

/** @typedef {{ id: string, conversation: string, flow: string, level: string | null, status: "open" | "complete" | "stopped", at: number, slots: Row[] }} Lead */
/** @typedef {{ id: string, title: string, kind: string, line: number, words: string[], problem: string | null }} Flow */
/**
 * @typedef {object} Action
 * @property {string} id
 * @property {string} title
 * @property {"read" | "write"} access
 * @property {boolean} verified
 * @property {boolean} owner_confirms
 * @property {string} method
 * @property {string} address
 * @property {string[]} arguments
 * @property {number} line
 */
/**
 * @typedef {object} Hours
 * @property {string} zone
 * @property {{ day: string, spans: string[] }[]} week
 * @property {{ date: string, name: string, spans: string[] }[]} holidays
 * @property {boolean} open
 * @property {string | null} opens
 * @property {number | null} away_until 0 for until the owner says otherwise
 * @property {{ minutes: number | null, samples: number }} promise
 * @property {string | null} problem
 */
/**
 * @typedef {object} Notifications
 * @property {{ id: string, kind: string, target: string, problem: string | null }[]} channels
 * @property {{ event: string, to: string[], urgent: boolean }[]} routes
 * @property {string | null} quiet
 * @property {{ id: string, event: string, channel: string, conversation: string, status: "queued" | "sent" | "failed" | "digest", attempts: number, at: number, error: string | null }[]} recent
 * @property {string | null} problem
 */

/** @typedef {{ type: "notice", event: string, conversation: string | null, title: string, text: string }} NoticeFrame */
/** @typedef {{ type: "welcome", v: number, owner: { name: string } }} WelcomeFrame */
/** @typedef {{ type: "conversation", conversation: Summary }} ConversationFrame */
/** @typedef {Message & { type: "message" }} MessageFrame */
/** @typedef {{ type: "decision", conversation: string, decision: Decision }} DecisionFrame */
/** @typedef {{ type: "suggestion", conversation: string, suggestion: Suggestion | null }} SuggestionFrame */
/** @typedef {{ type: "typing", conversation: string, from: string, on: boolean, expires_ms: number }} TypingFrame */
/** @typedef {{ type: "reading", conversation: string, seq: number, reading: Reading | null, named: Named[] }} ReadingFrame */
/** @typedef {{ type: "prompts", prompts: Prompts }} PromptsFrame */
/** @typedef {{ type: "error", code: string, message: string, retry_after_ms: number | null }} ErrorFrame */
/** @typedef {{ type: "going_away", retry_after_ms: number | null }} GoingAwayFrame */
/** @typedef {{ type: "receipts", conversation: string, visitor_delivered: number, visitor_read: number, owner_read: number }} ReceiptsFrame */
/** @typedef {{ type: "pong" }} PongFrame */
/** @typedef {{ type: "list" }} ListFrame many lines have changed */
/** @typedef {{ type: "knowledge", knowledge: KnowledgeStatus }} KnowledgeFrame */
/** @typedef {WelcomeFrame | NoticeFrame | KnowledgeFrame | ReadingFrame | PromptsFrame | ConversationFrame | MessageFrame | DraftFrame | DecisionFrame | SuggestionFrame | TypingFrame | ReceiptsFrame | PongFrame | ListFrame | ErrorFrame | GoingAwayFrame} Frame */

/** @typedef {{ id: string, label: string }} Intent */
/** @typedef {{ seq: number, tags: (Intent & { score: number })[], corrected: Intent | null }} Reading what a visitor's message is about */
/** @typedef {{ kind: string, text: string, value: string, seq: number }} Named something that the visitor has named */
/** @typedef {{ id: string, title: string, text: string, intent: string | null, updated_at: number }} SavedReply */
/** @typedef {{ intents: Intent[], problem: string | null, edition: number }} Prompts */
/** @typedef {{ id: string, conversation: string, intent: string, label: string, text: string, at: number }} Example */

/** @typedef {{ setup: boolean, owner: { name: string, email: string } | null }} Me */

/**
 * How the documents stand.
 * @typedef {object} KnowledgeStatus
 * @property {string} version
 * @property {number} published_at
 * @property {number} documents
 * @property {number} passages
 * @property {string | null} pinned
 * @property {boolean} behind
 * @property {{ path: string, problem: string, kept: boolean }[]} problems
 * @property {string | null} error
 * @property {{ done: number, of: number } | null} embedding changed documents
 * @property {Web | null} web
 * @property {number} read_at
 */

/** @typedef {{ pages: number, fetching: { done: number, of: number } | null, asked_at: number | null, missed: { url: string, problem: string, kept: boolean }[], more_missed: number }} Web */
/** @typedef {{ path: string, title: string, area: string | null, source: string | null, passages: number, written_at: number | null, url: string }} KnowledgeDocument */
/** @typedef {{ doc: string, title: string, heading: string[], text: string, url: string, score: number, cosine: number, unit: number, bm25: number, coverage: number }} KnowledgeHit */
/** @typedef {{ version: string, floor: number, hits: KnowledgeHit[] }} KnowledgeFound */
/** @typedef {{ count: number, paths: string[] }} Paths */
/** @typedef {{ id: string, at: number, documents: number, added: Paths, changed: Paths, removed: Paths, answers: boolean, pinned: boolean }} KnowledgeVersion */
/** @typedef {{ doc: string, line: number }} Place */
/** @typedef {{ at: Place, text: string }} Said */

/** @typedef {{ right: boolean, doc: string | null, text: string, cosine: number }} KnowledgeVerdict */
/** @typedef {{ question: string, before: KnowledgeVerdict, after: KnowledgeVerdict }} KnowledgeFlip */
/** @typedef {{ passages: { heading: string[], text: string }[], questions: number, right_before: number, right_after: number, flips: KnowledgeFlip[] }} KnowledgeTrial */

/**
 * @typedef {object} KnowledgeReport
 * @property {{ at: Place, target: string, problem: string }[]} links
 * @property {{ first: Place, second: Place, text: string, cosine: number, shared: number }[]} duplicates
 * @property {{ first: Said, second: Said, differ: "number" | "negation", cosine: number }[]} contradictions
 * @property {{ doc: string, days: number }[]} stale
 * @property {string[]} unreached
 * @property {number} uncompared
 */

/**
 * One rule of policy.toml.
 * @typedef {object} Rule
 * @property {string} id
 * @property {number} line
 * @property {"hand_off" | "hold" | "say"} action
 * @property {string} why
 * @property {string} say
 * @property {string[]} words
 * @property {string[]} unless
 * @property {string[]} intents
 * @property {number} score
 * @property {number | null} frustration
 * @property {number} at_most_words 0 for no limit
 */

/**
 * How sure is sure enough, and what that brings.
 * @typedef {object} Tuning
 * @property {number | null} at_most_wrong
 * @property {number} send_at
 * @property {{ send_at: number, sent: number, wrong: number }[]} curve
 * @property {"headings" | "visitors"} sample
 * @property {number} questions
 * @property {number} right
 * @property {number} wrong
 */

/**
 * @typedef {object} Rules
 * @property {{ send_at: number, hold_at: number, passage_floor: number, turn_cap: number, stalled_cap: number }} bands
 * @property {{ id: string, autonomy: "auto" | "draft" | "off", send_at: number | null, hold_at: number | null }[]} intents
 * @property {Rule[]} rules
 * @property {{ id: string, action: "hold" | "hand_off", words: string[], unless: string[] }[]} guardrails
 * @property {{ sentences: number | null, greeting: string, closing: string, instructions: string }} style
 * @property {Tuning} tuning
 */

/** @typedef {{ id: string, question: string, answer: string, from: string[], status: "pending" | "accepted" | "rejected", problem: string | null }} GapProposal */
/**
 * @typedef {object} Gap
 * @property {string} id
 * @property {string} label
 * @property {{ conversation: string, seq: number, text: string }[]} questions
 * @property {number} count visitors who asked
 * @property {number} failure 0 to 1
 * @property {number} rank
 * @property {GapProposal | null} proposal
 */
/** @typedef {{ gaps: Gap[], as_of: number | null, window_ms: number }} Gaps */
/** @typedef {{ doc: string, heading: string[], text: string, cosine: number }} GapBest */
/** @typedef {{ question: string, before: GapBest | null, after: GapBest | null }} GapChange */
/** @typedef {{ from_version: string | null, from_at: number | null, to_version: string, questions: number, better: GapChange[], worse: GapChange[], unchanged: number }} GapChanges */
/** @typedef {{ intent: string, now: string, suggested: string, why: string, lines: string }} AutonomySuggestion */

export {};
