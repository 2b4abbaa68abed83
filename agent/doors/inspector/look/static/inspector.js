// Keys, themes, live pages. Every page works without it; nothing here decides what may be done.
(() => {
  const root = document.body.dataset.root;
  const inField = (at) => at && (at.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(at.tagName));
  const rows = () => [...document.querySelectorAll("[data-row]")].filter((row) => row.offsetParent !== null);
  const say = (text) => { document.getElementById("live").textContent = text; };

  function isDark() {
    const chosen = document.documentElement.dataset.theme;
    return chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  }
  function nameTheme() {
    for (const button of document.querySelectorAll("[data-theme-switch]")) button.textContent = isDark() ? "Light" : "Dark";
  }
  function switchTheme() {
    const to = isDark() ? "light" : "dark";
    document.documentElement.dataset.theme = to;
    localStorage.setItem("lichen-theme", to);
    nameTheme();
  }
  nameTheme();

  function select(step) {
    const all = rows();
    if (!all.length) return;
    const now = all.findIndex((row) => row.classList.contains("at"));
    const next = all[Math.max(0, Math.min(all.length - 1, now + step))];
    all.forEach((row) => row.classList.toggle("at", row === next));
    const link = next.querySelector("a") ?? next;
    link.focus({ preventScroll: true });
    next.scrollIntoView({ block: "nearest" });
  }

  let going = 0;
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape") { if (inField(document.activeElement)) document.activeElement.blur(); return; }
    if (inField(event.target) || document.querySelector("dialog[open]")) return;
    if (going && Date.now() - going < 1500) {
      going = 0;
      const link = document.querySelector(`[data-go="${CSS.escape(event.key)}"]`);
      if (link) { event.preventDefault(); link.click(); return; }
    }
    const does = {
      "/": () => document.querySelector("[data-search]")?.focus(),
      j: () => select(1),
      k: () => select(-1),
      g: () => { going = Date.now(); },
      t: switchTheme,
      e: () => document.querySelector("[data-edit]")?.click(),
      "?": () => document.getElementById("keys").showModal(),
    }[event.key];
    if (does) { event.preventDefault(); does(); }
  });
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-theme-switch]")) switchTheme();
    if (event.target.closest("[data-help]")) document.getElementById("keys").showModal();
    const to = event.target.closest("[data-copy]");
    if (to) { navigator.clipboard?.writeText(to.dataset.copy); say("copied"); }
  });
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-submit]")) event.target.form.requestSubmit();
  });

  // A page that names a stream is drawn again when something happened; a lost connection begins again by itself.
  const streamed = document.querySelector("[data-stream]");
  if (streamed) {
    let waiting = 0;
    const source = new EventSource(streamed.dataset.stream);
    const mark = document.querySelector("[data-stream-state]");
    const state = (text) => { if (mark) mark.textContent = text; };
    source.onopen = () => state("live");
    source.onerror = () => state("connection lost, trying again");
    source.addEventListener("changed", () => {
      clearTimeout(waiting);
      waiting = setTimeout(async () => {
        const answer = await fetch(location.href, { headers: { "X-Part": "1" } });
        if (!answer.ok) return;
        const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("[data-live]");
        const old = document.querySelector("[data-live]");
        if (!fresh || !old) return;
        const open = new Set([...old.querySelectorAll("details[open][id]")].map((one) => one.id));
        old.innerHTML = fresh.innerHTML;
        for (const id of open) document.getElementById(id)?.setAttribute("open", "");
      }, 150);
    });
    source.addEventListener("ended", () => { source.close(); state("ended"); });
    addEventListener("pagehide", () => source.close());
  }

  // What was typed and not saved is kept in this browser until it is saved.
  const saved = new URLSearchParams(location.search).get("saved");
  if (saved) sessionStorage.removeItem(`lichen-draft:${saved}`);
  for (const form of document.querySelectorAll("form[data-keep]")) {
    const key = `lichen-draft:${form.dataset.keep}`;
    const fields = [...form.querySelectorAll("textarea[name], input[name]:not([type=hidden])")];
    const held = JSON.parse(sessionStorage.getItem(key) ?? "null");
    if (held && form.dataset.saved !== "1") {
      for (const field of fields) if (field.name in held) field.value = held[field.name];
      form.querySelector("[data-restored]")?.removeAttribute("hidden");
    }
    const keep = () => sessionStorage.setItem(key, JSON.stringify(Object.fromEntries(fields.map((f) => [f.name, f.value]))));
    form.addEventListener("input", keep);
    form.addEventListener("lichen-edited", keep);
    form.querySelector("[data-drop]")?.addEventListener("click", () => { sessionStorage.removeItem(key); location.reload(); });
  }
})();
