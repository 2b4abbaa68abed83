// The editor of a skill: CodeMirror over the text fields, rows that are added, what was typed kept until it is saved.
// Without it the same form works with plain text fields.
import { basicSetup, EditorView, EditorState, keymap, indentWithTab, indentUnit, python, markdown } from "./codemirror.js";

// The classes that CodeMirror's own highlighting gives, in its order: keywords, atoms, numbers, texts, escapes,
// names that are defined, local names, types, classes, special names, properties, comments, faults.
const colours = ["skills", "model", "model", "good", "exploration", "accent", "ink", "model", "model", "exploration", "accent", "soft", "bad"];
const look = EditorView.theme({
  ...Object.fromEntries(colours.map((name, i) => [`.ͼ${"bcdefghijklmn"[i]}`, { color: `var(--${name})` }])),
  "&": { fontSize: "13px", border: "1px solid var(--line)", borderRadius: "6px", background: "var(--panel)", color: "var(--ink)" },
  "&.cm-focused": { outline: "2px solid var(--accent)" },
  ".cm-content": { fontFamily: "var(--mono)", caretColor: "var(--ink)", minHeight: "8rem" },
  ".cm-cursor": { borderLeftColor: "var(--ink)" },
  ".cm-gutters": { background: "var(--sunk)", color: "var(--soft)", border: "0" },
  ".cm-activeLine, .cm-activeLineGutter": { background: "var(--hover)" },
  "&.cm-focused .cm-selectionBackground, .cm-selectionBackground": { background: "var(--mark) !important" },
});
const languages = { python, markdown };
let leaving = false;  // Esc, then Tab, leaves the field: nobody is caught in it

function edit(field, changed) {
  // In a shadow root its styles are sheets of the script's own, which the page's policy allows.
  const host = document.createElement("div"), root = host.attachShadow({ mode: "open" });
  host.addEventListener("keydown", (event) => event.stopPropagation());  // letters here are no keys of the page
  host.className = "codemirror";
  field.hidden = true;
  field.after(host);
  return new EditorView({
    root, parent: root,
    doc: field.value,
    extensions: [
      basicSetup, indentUnit.of("    "), languages[field.dataset.code](), look, EditorView.lineWrapping,
      EditorView.contentAttributes.of({ "aria-label": document.querySelector(`label[for="${field.id}"]`).textContent }),
      EditorState.tabSize.of(4),
      keymap.of([
        { key: "Escape", run: () => { leaving = true; return false; } },
        { any: (_, event) => { leaving &&= ["Tab", "Escape", "Shift"].includes(event.key); return false; } },
        { key: "Tab", run: (v) => (leaving ? false : indentWithTab.run(v)), shift: (v) => (leaving ? false : indentWithTab.shift(v)) },
      ]),
      EditorView.updateListener.of((update) => {
        if (!update.docChanged) return;
        field.value = update.state.doc.toString();
        changed();
      }),
    ],
  });
}

const form = document.querySelector("form[data-whole]");
if (form) {
  const key = `lichen-draft:${form.dataset.whole}`;
  const rows = (kind) => form.querySelector(`[data-rows="${kind}"]`);
  const keep = () => sessionStorage.setItem(key, JSON.stringify([...new FormData(form)].filter(([name]) => name !== "csrf")));

  function add(kind) {
    const all = rows(kind).children, made = all[all.length - 1].cloneNode(true), number = all.length;
    for (const one of made.querySelectorAll("[name]")) {
      one.name = one.name.replace(/-\d+-/, `-${number}-`);
      if (one.type === "checkbox") one.checked = false;
      else if (one.tagName !== "SELECT") one.value = one.name.endsWith("-arguments") ? "{}" : one.name.endsWith("-seed") ? "0" : "";
    }
    rows(kind).append(made);
    return made;
  }
  for (const button of form.querySelectorAll("[data-add]")) {
    button.hidden = false;
    button.addEventListener("click", () => add(button.dataset.add).querySelector("input").focus());
  }

  const fresh = () => [...new FormData(form)].filter(([name]) => name !== "csrf" && name !== "base").join("\n");
  const held = form.hasAttribute("data-typed") ? null : JSON.parse(sessionStorage.getItem(key) ?? "null");
  if (held) {
    const before = fresh();
    for (const kind of ["parameter", "test"]) {
      const last = Math.max(-1, ...held.map(([name]) => Number(name.match(`^${kind}-(\\d+)-`)?.[1] ?? -1)));
      while (rows(kind).children.length <= last) add(kind);
    }
    for (const box of form.querySelectorAll("[type=checkbox]")) box.checked = held.some(([name]) => name === box.name);
    for (const [name, value] of held) {
      const field = form.elements[name];
      if (field && field.type !== "checkbox") field.value = value;
    }
    if (fresh() !== before) document.querySelector("[data-restored]").hidden = false;
    else { sessionStorage.removeItem(key); }
  }
  document.querySelector("[data-drop]")?.addEventListener("click", () => { sessionStorage.removeItem(key); location.reload(); });
  for (const field of form.querySelectorAll("[data-code]")) edit(field, keep);
  form.addEventListener("input", keep);
  form.addEventListener("change", keep);
  if (form.hasAttribute("data-typed")) keep();
}
for (const link of document.querySelectorAll("[data-discard]"))
  link.addEventListener("click", () => sessionStorage.removeItem(`lichen-draft:${link.dataset.discard}`));

// What was typed is dropped from this browser when the gate has admitted it, or kept it as a draft.
const drop = () => {
  const saved = document.querySelector("[data-saved]");
  if (saved) sessionStorage.removeItem(`lichen-draft:${saved.dataset.saved}`);
};
drop();
const job = document.querySelector("[data-stream]");
if (job) new MutationObserver(drop).observe(job, { childList: true });
