// The panel's styles, as a string for a constructed style sheet (works under a strict content security policy).

export const CSS = `
:host { --back: #fffdfa; --text: #2b2320; --muted: #6a5d54; --soft: #f3ede5; --line: #e6dcd0; --person: #e3efe6; --link: var(--accent);
  --mark: #ffe1a8; --alert: #a3102f; }
.panel, .panel * { box-sizing: border-box; }
.panel { position: fixed; right: 20px; bottom: 92px; z-index: 2147483001; width: 380px; height: min(600px, calc(100vh - 112px));
  display: flex; flex-direction: column; overflow: hidden; border-radius: 18px; background: var(--back); color: var(--text);
  border: 1px solid var(--line); box-shadow: 0 18px 50px rgb(40 20 0 / .24); animation: rise .18s ease-out; }
@keyframes rise { from { opacity: 0; transform: translateY(10px); } }
button, textarea, input { font: inherit; color: inherit; margin: 0; }
button { -webkit-tap-highlight-color: transparent; cursor: pointer; border: 0; background: none; padding: 0; }
button:disabled { cursor: default; }
:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
svg { width: 20px; height: 20px; flex: none; fill: none; stroke: currentColor; stroke-width: 1.8; stroke-linecap: round; stroke-linejoin: round; }
h1, h2, p, ul, dl, dd, blockquote { margin: 0; padding: 0; }
.sr { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
header { display: flex; align-items: center; gap: 10px; padding: 14px 8px 14px 16px; background: var(--accent); color: #fff; }
header :focus-visible { outline-color: #fff; outline-offset: -3px; }
.face { display: grid; place-items: center; width: 40px; height: 40px; border-radius: 50%; background: #fff; color: var(--accent); }
.face svg { width: 24px; height: 24px; }
.words { flex: 1; min-width: 0; }
h1 { font-size: 16px; font-weight: 650; line-height: 1.3; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.presence { font-size: 13px; line-height: 1.4; }
.presence.on::before { content: ""; display: inline-block; width: 8px; height: 8px; margin-right: 6px; border-radius: 50%; background: #b9f5c6; }
.close, .back, .send { width: 44px; height: 44px; border-radius: 12px; display: grid; place-items: center; flex: none; }
.line:empty, .trouble:empty { display: none; }
.line { padding: 6px 16px; font-size: 13px; text-align: center; background: var(--soft); border-bottom: 1px solid var(--line); }
.trouble { padding: 6px 16px; font-size: 13px; color: var(--alert); }
.main { flex: 1; min-height: 0; display: flex; flex-direction: column; }
.log { flex: 1; min-height: 0; overflow-y: auto; overscroll-behavior: contain; padding: 16px; display: flex; flex-direction: column; gap: 10px; }
.msg { display: flex; flex-direction: column; align-items: flex-start; max-width: 88%; }
.bubble { position: relative; max-width: 100%; padding: 9px 13px; border-radius: 16px 16px 16px 5px; background: var(--soft); }
.text { white-space: pre-wrap; overflow-wrap: anywhere; }
.keep { white-space: nowrap; }
.visitor { align-self: flex-end; align-items: flex-end; }
.visitor .bubble { background: var(--accent); color: #fff; border-radius: 16px 16px 5px 16px; }
.owner .bubble { background: var(--person); }
.author { display: block; font-size: 13px; font-weight: 650; }
.system { align-self: center; align-items: center; max-width: 92%; text-align: center; font-size: 13px; color: var(--muted); }
.system .bubble { background: none; padding: 2px 8px; }
.meta { display: flex; align-items: center; gap: 4px; min-height: 18px; padding: 1px 4px 0; font-size: 12px; line-height: 17px; color: var(--muted); }
.meta svg { width: 13px; height: 13px; }
.msg[data-state="failed"] .meta { color: var(--alert); }
.retry { min-height: 40px; padding: 0 8px; font-weight: 650; text-decoration: underline; color: var(--link); }
.cite, .no { flex: none; min-width: 19px; height: 19px; padding: 0 4px; border-radius: 7px; border: 1px solid currentColor; background: var(--back);
  color: var(--link); font-size: 11px; font-weight: 700; line-height: 17px; text-align: center; }
.cite { position: relative; margin: 0 2px 0 3px; vertical-align: 3px; }
.cite::after { content: ""; position: absolute; inset: -11px; }
.cite:hover { color: #fff; background: var(--accent); border-color: var(--accent); }
.sources { list-style: none; width: 100%; margin-top: 4px; }
.source { display: flex; align-items: center; gap: 8px; width: 100%; min-height: 40px; padding: 4px 8px; border-radius: 10px; text-align: left;
  font-size: 13px; line-height: 1.35; color: var(--muted); }
.source:hover { background: var(--soft); color: var(--text); }
.choices, .deeds { display: flex; flex-wrap: wrap; gap: 8px; margin-top: 8px; }
.choice, .yes, .not { min-height: 40px; padding: 7px 14px; border: 1px solid var(--link); border-radius: 14px; font-weight: 600; color: var(--link);
  text-align: start; overflow-wrap: anywhere; max-width: 100%; }
.choice:hover, .not:hover { background: var(--soft); }
.yes { background: var(--accent); border-color: var(--accent); color: #fff; }
.yes:disabled { opacity: .5; }
.card { width: 100%; min-width: 240px; margin-top: 6px; padding: 12px 13px; border: 1px solid var(--line); border-radius: 14px; background: var(--back); }
.card .title { display: block; font-weight: 650; overflow-wrap: anywhere; }
.card dl { display: grid; grid-template-columns: fit-content(38%) minmax(0, 1fr); gap: 3px 14px; margin-top: 6px; font-size: 14px; }
.card dt { color: var(--muted); overflow-wrap: anywhere; }
.card dd { font-weight: 550; overflow-wrap: anywhere; }
.card > .yes { margin-top: 8px; }
.chosen { margin-top: 8px; font-weight: 650; color: var(--link); }
.code .row { margin-top: 8px; align-items: center; }
.code input { flex: 1; min-width: 0; min-height: 44px; padding: 8px 12px; border-radius: 12px; border: 1px solid #94857a; background: var(--back);
  font-size: 17px; letter-spacing: .12em; font-variant-numeric: tabular-nums; }
.code input::placeholder { color: var(--muted); opacity: 1; letter-spacing: 0; font-size: 15px; }
.code input[aria-invalid="true"] { border-color: var(--alert); }
.said:empty { display: none; }
.said { margin-top: 6px; font-size: 13px; color: var(--muted); }
.code [aria-invalid="true"] ~ .said, .files .said, .code .row:has([aria-invalid="true"]) + .said { color: var(--alert); }
.hint { margin-top: 6px; font-size: 13px; color: var(--muted); }
.files { list-style: none; }
.files li { display: flex; flex-wrap: wrap; align-items: center; gap: 4px 10px; margin-top: 8px; font-size: 14px; }
.files .name { flex-basis: 100%; }
.files .not { border-color: var(--line); }
.name { overflow-wrap: anywhere; }
progress { flex: 1; min-width: 60px; accent-color: var(--accent); }
.part { min-width: 36px; font-variant-numeric: tabular-nums; }
.card.file { display: flex; align-items: center; gap: 8px; min-width: 0; margin: 0; padding: 0; border: 0; background: none; text-align: start; }
.card.file .hint { margin: 0 0 0 auto; flex: none; color: inherit; }
.panel.drop::after { content: "Drop it here"; position: absolute; inset: 8px; z-index: 1; display: grid; place-items: center; border: 2px dashed var(--link);
  border-radius: 14px; background: var(--back); opacity: .92; font-weight: 650; color: var(--link); }
.typing { display: flex; gap: 8px; align-items: center; align-self: flex-start; padding: 14px; border-radius: 16px 16px 16px 5px; background: var(--soft); }
.typing .dots { display: flex; gap: 5px; }
.typing .preamble { color: var(--muted); }
.typing .preamble:empty { display: none; }
.typing.owner { background: var(--person); }
.typing i { width: 7px; height: 7px; border-radius: 50%; background: var(--muted); animation: blink 1.2s infinite; }
.typing i:nth-child(2) { animation-delay: .2s; }
.typing i:nth-child(3) { animation-delay: .4s; }
@keyframes blink { 0%, 60%, 100% { opacity: .3; } 30% { opacity: 1; } }
.composer, .over { padding: 10px 12px 8px; border-top: 1px solid var(--line); }
.row { display: flex; align-items: flex-end; gap: 8px; }
textarea { flex: 1; min-width: 0; resize: none; padding: 10px 14px; border-radius: 14px; border: 1px solid #94857a; background: var(--back);
  font-size: 15px; line-height: 22px; min-height: 44px; }
textarea::placeholder { color: var(--muted); opacity: 1; }
textarea:focus-visible { outline-offset: -1px; outline-width: 2px; }
.send { background: var(--accent); color: #fff; border-radius: 14px; }
.send:disabled { opacity: .5; }
.person { display: inline-flex; align-items: center; gap: 8px; min-height: 40px; padding: 0 10px; border-radius: 10px; font-size: 14px;
  font-weight: 600; color: var(--link); }
.person:hover:enabled { background: var(--soft); }
.person:disabled { color: var(--muted); font-weight: 400; }
.low { display: flex; align-items: center; justify-content: space-between; gap: 8px; margin-top: 4px; }
.ender { min-height: 40px; padding: 0 10px; border-radius: 10px; font-size: 14px; color: var(--muted); }
.ender:hover:enabled { background: var(--soft); color: var(--text); }
.solved { display: flex; flex-wrap: wrap; align-items: center; gap: 4px 8px; margin-top: 6px; font-size: 13px; color: var(--muted); }
.quick { min-height: 32px; padding: 3px 12px; border: 1px solid var(--line); border-radius: 16px; font-weight: 600; color: var(--link); }
.quick:hover { border-color: var(--link); }
.over { text-align: center; color: var(--muted); padding: 16px; }
.over p { margin-bottom: 8px; }
.again, .new { min-height: 44px; margin: 2px 3px; padding: 0 13px; border-radius: 14px; font-size: 14px; border: 1px solid var(--accent); font-weight: 600; }
.again { background: var(--accent); color: #fff; }
.new { border-color: var(--line); color: var(--link); }
.new:hover { border-color: var(--link); }
.citation { position: absolute; inset: 0; display: flex; flex-direction: column; background: var(--back); }
.bar { display: flex; align-items: center; gap: 4px; padding: 8px; border-bottom: 1px solid var(--line); font-weight: 650; }
.passage { position: relative; flex: 1; min-height: 0; overflow-y: auto; padding: 18px 20px 20px; }
.log:focus-visible, .passage:focus-visible { outline-offset: -3px; }
h2 { font-size: 18px; line-height: 1.35; }
.path { margin-top: 2px; font-size: 13px; color: var(--muted); }
blockquote { margin: 14px 0; padding: 2px 0 2px 14px; border-left: 3px solid var(--line); white-space: pre-wrap; overflow-wrap: anywhere; }
mark { background: var(--mark); color: #2b2320; border-radius: 3px; padding: 1px 0; }
.page { display: inline-flex; align-items: center; min-height: 40px; font-weight: 600; color: var(--link); }
@media (prefers-color-scheme: dark) {
  :host { --back: #1f1a17; --text: #f4ede6; --muted: #bcaea3; --soft: #302924; --line: #40362f; --person: #24382c; --mark: #f2c56b; --alert: #ff9aa8;
    --link: color-mix(in srgb, var(--accent) 45%, #fff); }
}
@media (max-width: 479px) {
  .panel { inset: 0; width: 100%; height: 100dvh; border: 0; border-radius: 0; }
  textarea, input { font-size: 16px; }
}
@media (prefers-reduced-motion: reduce) { .panel, .typing i { animation: none; } .typing i { opacity: .7; } }
`;
