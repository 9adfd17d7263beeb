// The shapes of the visitor's side of PROTOCOL.md. Types only: nothing of it is sent to a browser.

export type Piece = { text: string; cite: number | null };
/** The mark is a range in UTF-16 units of the excerpt. */
export type Citation = {
  number: number; doc: string; title: string; heading: string[]; excerpt: string; mark: [number, number]; url: string;
};
export type State = "bot" | "waiting" | "owner" | "closed";
export type Welcome = {
  type: "welcome"; token: string; conversation: string | null; epoch: string; head: number; state: State; generation: number;
  site: { name: string; greeting: string }; owner_online: boolean; restored?: boolean; known?: Record<string, number>;
  owner_read?: number; queue?: number | null; survey?: Survey | null; ask_solved?: boolean;
};
/** What the visitor is asked after a chat. Once there is a score it can be changed, and a comment may follow. */
export type Survey = {
  id: string; kind: "csat" | "nps"; scale: 3 | 5 | 10; look: "stars" | "faces" | "numbers"; question: string; comment_question: string;
  score: number | null; open: boolean;
};
/** A comment of null may still follow; an empty one says that none will. */
export type SurveyAnswer =
  | { type: "survey_answer"; id: string; score: number; comment: string | null } | { type: "survey_decline"; id: string };
export type SurveyFrame = { type: "survey"; survey: Survey | null };
export type Message = {
  type: "message"; conversation: string; seq: number; from: "visitor" | "bot" | "owner" | "system"; at: number; text: string;
  pieces: Piece[]; citations: Citation[]; draft_id: string | null; client_msg_id: string | null; author: string | null; card?: Card | null;
};
export type Row = { label: string; value: string };
/** What is shown with a message beside its text. */
export type Card =
  | { kind: "choices"; options: string[] }
  | { kind: "confirm"; request: string; title: string; rows: Row[] }
  | { kind: "code"; to: string }
  | { kind: "result"; title: string; rows: Row[] }
  | { kind: "upload"; what: string }
  | { kind: "file"; id: string; name: string; bytes: number; media: string };
/** What a card sends that is no message. It is never kept in the browser's storage. */
export type CardAnswer = { type: "confirm"; request: string; yes: boolean } | { type: "code"; code: string };
/** Where the visitor is, told when the chat is opened. */
export type Opening = { type: "opened"; session: string; visitor: string; page: string; referrer: string; campaign: string };
/** What the owner hopes for has happened; `value` is in the smallest unit of the currency. */
export type Conversion = { kind: string; value?: number; currency?: string };
export type Ack = { type: "ack"; client_msg_id: string; conversation: string; seq: number; at: number };
export type Draft = {
  type: "draft"; draft_id: string; phase: "start" | "token" | "piece" | "stop"; token?: string; piece?: Piece | null;
  citations?: Citation[] | null;
};
export type StateFrame = { type: "state"; state: State; generation: number; author: string | null };
/** What fills a long wait, and from when on. */
export type Preamble = { text: string; after_ms: number };
export type Typing = { type: "typing"; from: "bot" | "owner"; on: boolean; expires_ms: number; status?: Preamble };
export type Presence = { type: "presence"; owner_online: boolean };
export type Receipts = { type: "receipts"; visitor_delivered: number; visitor_read: number; owner_read: number };
export type Queue = { type: "queue"; place: number | null };
export type ErrorFrame = {
  type: "error"; code: string; message: string; retry_after_ms: number | null; client_msg_id: string | null;
};
export type GoingAway = { type: "going_away"; retry_after_ms: number };
export type Shown = Draft | StateFrame | Typing | Presence | Receipts | Queue | SurveyFrame;
export type ServerFrame = Welcome | Message | Ack | Shown | ErrorFrame | GoingAway | { type: "pong" };

export type Status = "connecting" | "online" | "offline" | "stopped";
/** An own message that is not stored: it waits, or the server has refused it. */
export type Unsent = { id: string; text: string; order: number; failed: boolean };
export type Notice =
  | { type: "status"; status: Status }
  | { type: "sent" | "failed"; id: string }
  | { type: "unsent"; entry: Unsent }
  | { type: "reset"; restored: boolean };
/** What the link tells the panel. */
export type LinkEvent = Welcome | Message | Shown | ErrorFrame | Notice;

/** What a transport reports. */
export interface Ears {
  /** Frames can be written; the first is `hello`. */
  open(): void;
  /** One frame as JSON, or nothing but a sign of life. */
  data(text: string): void;
  /** It has ended by itself; `least` is how long the server wants to be left alone, in milliseconds. */
  lost(code: number, reason: string, least?: number): void;
}
/** What a connection reports. */
export interface Handlers {
  open(): void;
  data(text: string): void;
  /** Nothing is heard any more, or something is again. */
  doubt(doubt: boolean): void;
  /** How long to wait in milliseconds: null for ever, undefined for the usual. */
  lost(code: number, reason: string): number | null | undefined;
}
/** One way to the server. */
export type Way = new (origin: string, ears: Ears) => Transport;
export interface Transport {
  write(frame: { type: string } & Record<string, unknown>): void;
  /** Ends it without a report. */
  close(): void;
}
