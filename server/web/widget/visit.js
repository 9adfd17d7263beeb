// Where the visitor is: names of this tab and of this browser, the page, and the campaign it was reached by. Nothing is kept before the
// chat is opened.

const VISITOR = "porchlight-visitor";
const SESSION = "porchlight-visit";
/** In the page's address: the owner tries out the measuring. */
const TRIAL = "porchlight-trial";
const NAME = /^[0-9a-f]{32}$/;

/** @returns {string} 32 hex digits */
function fresh() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * A name that is kept, or made and kept.
 * @param {string} key
 * @param {() => Storage} place
 * @returns {string}
 */
function name(key, place) {
  try {
    const kept = place().getItem(key);
    if (kept && NAME.test(kept)) return kept;
    const made = fresh();
    place().setItem(key, made);
    return made;
  } catch {
    return fresh(); // the browser keeps nothing: the name lasts as long as the page
  }
}

/** @returns {string | null} the ticket of a trial; such a chat leaves no trace in this browser */
export function trial() {
  const ticket = new URLSearchParams(location.search).get(TRIAL);
  return ticket && NAME.test(ticket) ? ticket : null;
}

/** @param {string} address @returns {string} without what is nobody's business */
const bare = (address) => address.split(/[?#]/)[0];

/** What the server is told of this visit. @returns {import("./frames.js").Opening} */
export function visit() {
  const asked = new URLSearchParams(location.search);
  const campaign = ["utm_source", "utm_medium", "utm_campaign"].map((key) => asked.get(key) ?? "");
  while (campaign.length && !campaign[campaign.length - 1]) campaign.pop();
  const ticket = trial();
  return {
    type: "opened",
    session: ticket ?? name(SESSION, () => sessionStorage),
    visitor: ticket ? fresh() : name(VISITOR, () => localStorage),
    page: bare(location.href),
    referrer: bare(document.referrer),
    campaign: campaign.map((part) => part || "-").join(" / "),
  };
}
