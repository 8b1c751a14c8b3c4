// Sets colour scheme and language before the first paint, so that neither flashes.
// A file of its own because the content security policy allows no inline script.
(function () {
  var root = document.documentElement;
  var scheme = "auto";
  try {
    scheme = localStorage.getItem("mantine-color-scheme-value") || "auto";
  } catch {
    // Storage may be blocked: follow the system then.
  }
  if (scheme === "auto") scheme = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  root.setAttribute("data-mantine-color-scheme", scheme);
  var chosen = /(?:^|; )teiten_lang=(en|ja)/.exec(document.cookie);
  root.lang = chosen ? chosen[1] : /^ja\b/.test(navigator.language) ? "ja" : "en";
})();
