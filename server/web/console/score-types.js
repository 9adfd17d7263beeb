// The shapes of the scorecard, as `GET /console/api/scorecard` answers it. Times are milliseconds; what is not known is null.

/** @typedef {{ hits: number, of: number, share: number | null, low: number | null, high: number | null }} Share a share with its 95 % interval */
/** @typedef {{ n: number, median_ms: number | null, p90_ms: number | null }} Timer */
/** @typedef {{ n: number, asked: number, declined: number, mean: number | null, positive: Share, counts: number[] }} Csat */
/** @typedef {{ n: number, promoters: number, passives: number, detractors: number, score: number | null, low: number | null, high: number | null, asked: number }} Nps */
/** @typedef {{ reason: string, n: number }} HandOff */
/** @typedef {{ n: number, turns_mean: number | null, resolution_median_ms: number | null }} Effect */
/** @typedef {Effect & { template: string, without: Effect }} Template */
/** @typedef {{ key: string, n: number, csat: Csat, frt: Timer, containment: Share }} Segment */
/** @typedef {{ kind: "bot_only" | "assisted" | "person_only", n: number, csat: Csat, frt: Timer, resolution: Timer, turns_mean: number | null, reopened: Share }} Kind */
/** @typedef {{ day: string, n: number, frt_median_ms: number | null, csat_mean: number | null, resolved: number, contained: number }} Day */
/** @typedef {{ n: number, mean: number | null }} Mean */

/**
 * What the savings are worked out with; the owner may change each.
 * @typedef {object} Assumptions
 * @property {number} minutes_per_ticket
 * @property {number | null} baseline_handling_minutes
 * @property {number} hourly_rate
 * @property {string} currency
 * @property {number | null} average_order_value
 * @property {number | null} baseline_conversion_rate
 * @property {number} attributed_share
 * @property {number} tool_costs
 */

/** @typedef {{ from: number, to: number, cases: number, csat_mean: number | null, csat_n: number, frt_bot_ms: number | null, frt_person_ms: number | null, containment: Share, reopened: Share }} Previous */

/**
 * The one thing to do this week, and what became of its figure.
 * @typedef {object} Item
 * @property {string} week the Monday on which it was chosen
 * @property {string} text
 * @property {string} measure
 * @property {string} subject a tag or a reason, empty for all cases
 * @property {string} metric what is measured, in words
 * @property {boolean} rising whether more is better
 * @property {{ hits: number, of: number }} before
 * @property {{ hits: number, of: number } | null} after
 * @property {"better" | "worse" | null} verdict null while no difference is credible
 * @property {boolean} own the owner's own words
 * @property {number | null} done_at
 */

/**
 * @typedef {object} Scorecard
 * @property {number} from
 * @property {number} to
 * @property {number} cases
 * @property {{ bot: Timer, person: Timer, person_open: Timer }} frt
 * @property {{ label: string, n: number, csat: Csat, nps: Nps }[]} frt_buckets
 * @property {{ bot: Timer, person: Timer }} latency
 * @property {{ all: Timer, by_tag: { tag: string, timer: Timer }[] }} resolution
 * @property {{ n: number, median: number | null, p90: number | null, mean: number | null }} turns
 * @property {{ n: number, mean_ms: number | null, median_ms: number | null }} handling
 * @property {Csat} csat
 * @property {Nps} nps
 * @property {Share} reopened
 * @property {Share} durable
 * @property {Share} containment
 * @property {Share} deflection
 * @property {{ owner: number, visitor: number, silence: number, open: number }} resolved
 * @property {Kind[]} kinds
 * @property {HandOff[]} hand_offs
 * @property {Template[]} templates
 * @property {{ page: Segment[], campaign: Segment[], tag: Segment[] }} segments
 * @property {{ leads: number, conversions: Share, values: { currency: string, value: number }[] }} assist
 * @property {{ minutes_saved: number | null, hours_saved: number | null, cost_saved: number | null, uplift: number | null, tool_costs: number | null, roi: number | null }} savings
 * @property {Assumptions} assumptions
 * @property {{ step: string, n: number }[]} funnel
 * @property {{ clarity: Mean, correctness: Mean, empathy: Mean, sentiment: { better: number, same: number, worse: number } }} quality
 * @property {{ accepted: number, edited: number, discarded: number }} suggestions
 * @property {number} drafts_cancelled
 * @property {null | { tag: string, n: number, csat: Csat, frt: Timer, resolution: Timer, containment: Share, hand_offs: HandOff[], reopened: Share }} deep_dive
 * @property {Day[]} days
 * @property {Previous} previous the period of the same length before
 * @property {number | null} sessions visits in which the chat was opened; null where a tag is chosen
 * @property {Record<string, string>} titles of saved replies, by id
 * @property {string} week the Monday of the week that it is now
 * @property {Item | null} action_item
 */

export {};
