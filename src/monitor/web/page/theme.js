// Light, dark, or what the system prefers. This runs before the page is drawn, so that it doesn't
// flash in the other colours first.
{
  const NAMES = ["auto", "light", "dark"];
  const KEY = "miniredis-monitor-theme";

  const stored = () => {
    try {
      return localStorage.getItem(KEY);
    } catch {
      // Storage is switched off; then the choice lasts as long as the page.
      return null;
    }
  };
  const apply = (name) => {
    document.documentElement.dataset.theme = name;
    const label = document.getElementById("theme-name");
    if (label !== null) label.textContent = name;
    document.dispatchEvent(new Event("themechange"));
  };
  const choose = (name) => {
    try {
      localStorage.setItem(KEY, name);
    } catch {
      // As above.
    }
    apply(name);
  };

  const first = stored();
  apply(NAMES.includes(first) ? first : "auto");
  document.addEventListener("DOMContentLoaded", () => {
    apply(document.documentElement.dataset.theme);
    document.getElementById("theme").addEventListener("click", () => {
      const next = NAMES.indexOf(document.documentElement.dataset.theme) + 1;
      choose(NAMES[next % NAMES.length]);
    });
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener(
    "change",
    () => document.dispatchEvent(new Event("themechange")),
  );
}
