// Before the page is drawn: the theme that was chosen in this browser.
(() => {
  const chosen = localStorage.getItem("lichen-theme");
  if (chosen === "dark" || chosen === "light") document.documentElement.dataset.theme = chosen;
})();
