// Joins the vendored Preact, its hooks and htm into what the console imports.
import { h, render } from "./preact-core.js";
import htm from "./htm.js";

export * from "./preact-hooks.js";
export { render };
export const html = htm.bind(h);
